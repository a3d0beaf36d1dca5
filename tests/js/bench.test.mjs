// The bench's own arithmetic, on traces and profiles small enough to add up by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { allocatedBytes, profileCost } from "../../js-glue/bench/profile_cost.mjs";
import { pairedDifference, pairedRatio, randomOf, shuffled, summaryOf } from "../../js-glue/bench/statistics.mjs";
import { traceCost } from "../../js-glue/bench/trace_cost.mjs";

const isOwn = (url) => url.includes("/sdk/");
const event = (name, ts, dur, url, more = {}) => ({ name, ph: "X", pid: 1, tid: 2, ts, dur, tdur: dur, args: { data: { url } }, ...more });
const page = event("EvaluateScript", 0, 10, "http://t/workload.js");
const load = { name: "MarkLoad", ph: "I", pid: 1, tid: 2, ts: 10_000 };

test("the start is the outermost events of the SDK's scripts on the main thread, until its end", () => {
  const cost = traceCost([
    page, load,
    event("EvaluateScript", 1000, 2000, "http://t/sdk/a.js"),
    event("v8.run", 1100, 1800, "http://t/sdk/a.js"), // inside the one above
    event("FunctionCall", 5000, 500, "http://t/app.js"), // the page's
    event("FunctionCall", 12_000, 700, "http://t/sdk/a.js"),
    event("FunctionCall", 9_000_000, 900, "http://t/sdk/a.js"), // long after
    event("FunctionCall", 6000, 800, "http://t/sdk/a.js", { tid: 3 }), // a worker's
  ], isOwn, 1300);
  assert.equal(cost.startMs, 2.7);
  assert.equal(cost.longestStartBlockMs, 2);
});

test("thread time counts, not the time that others took", () => {
  const cost = traceCost([page, load, event("FunctionCall", 1000, 5000, "http://t/sdk/a.js", { tdur: 1500 })], isOwn, 1300);
  assert.equal(cost.startMs, 1.5);
});

test("a long task is the SDK's when half of it is, or when it would be short without", () => {
  const task = (ts, dur) => ({ name: "RunTask", ph: "X", pid: 1, tid: 2, ts, dur });
  const count = (...events) => traceCost([page, load, ...events], isOwn, 1300).longTasks;
  assert.equal(count(task(1000, 60_000), event("FunctionCall", 1000, 30_000, "/sdk/a.js")), 1);
  assert.equal(count(task(1000, 60_000), event("FunctionCall", 1000, 11_000, "/sdk/a.js")), 1);
  assert.equal(count(task(1000, 100_000), event("FunctionCall", 1000, 11_000, "/sdk/a.js")), 0);
  assert.equal(count(task(1000, 55_000)), 0);
  assert.equal(count(task(1000, 49_000), event("FunctionCall", 1000, 48_000, "/sdk/a.js")), 0);
});

const frame = (id, url, functionName, children = []) => ({ id, callFrame: { url, functionName, lineNumber: 0, columnNumber: 0 }, children });

test("a sample belongs to the innermost frame that has a script", () => {
  const nodes = [frame(1, "", "(root)", [2, 5]), frame(2, "/app.js", "app", [3]), frame(3, "/sdk/a.js", "wrapped", [4]), frame(4, "", "getter"), frame(5, "", "(idle)")];
  const cost = profileCost({ nodes, samples: [2, 3, 4, 5], timeDeltas: [1000, 2000, 4000, 8000], startTime: 0 }, isOwn);
  assert.equal(cost.selfMs, 6);
  assert.equal(cost.peakShare, 0.06);
});

test("WebAssembly is the SDK's; what the browser does in the page's wrapped request is the page's", () => {
  const nodes = [frame(1, "", "(root)", [2, 3]), frame(2, "wasm://wasm/1234", "take"), frame(3, "/sdk/a.js", "wrapper", [4]), frame(4, "", "send")];
  assert.equal(profileCost({ nodes, samples: [2, 3, 4], timeDeltas: [500, 1000, 90_000], startTime: 0 }, isOwn).selfMs, 1.5);
});

test("allocations are summed below the SDK's frames and nowhere else", () => {
  const node = (url, selfSize, children = []) => ({ callFrame: { url }, selfSize, children });
  assert.equal(allocatedBytes({ head: node("", 1, [node("/app.js", 10, [node("/sdk/a.js", 100, [node("", 1000)])]), node("", 10_000)]) }, isOwn), 1100);
});

test("a summary has the median and both ends, and leaves out what was not measured", () => {
  assert.deepEqual(summaryOf([3, undefined, 1, NaN, 2]), { median: 2, min: 1, max: 3, runs: 3 });
  assert.ok(Number.isNaN(summaryOf([]).median));
});

test("ratios and differences are of the same round", () => {
  const rounds = [{ a: 2, b: 1 }, { a: 30, b: 10 }];
  assert.equal(pairedRatio(rounds, (one) => one, "a", "b").max, 3);
  assert.equal(pairedDifference(rounds, (one) => one, "a", "b").min, 1);
});

test("an order comes from its seed", () => {
  const order = (seed) => shuffled([..."abcdefgh"], randomOf(seed)).join("");
  assert.equal(order(7), order(7));
  assert.notEqual(order(7), order(8));
});
