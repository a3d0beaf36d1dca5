// The request that the browser keeps for a page that dies.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/bundle.mjs";

const { later, Guard } = await load("exit/later", "lib/guard");

/** Timers that only `tick` moves. */
function clock(t) {
  const { setTimeout, clearTimeout } = globalThis;
  t.after(() => Object.assign(globalThis, { setTimeout, clearTimeout }));
  let now = 0;
  let waiting = [];
  globalThis.setTimeout = (run, ms) => waiting.push({ run, at: now + ms }) && waiting.at(-1);
  globalThis.clearTimeout = (timer) => (waiting = waiting.filter((one) => one !== timer));
  return (ms) => {
    now += ms;
    const due = waiting.filter(({ at }) => at <= now);
    waiting = waiting.filter(({ at }) => at > now);
    for (const { run } of due) run();
  };
}

function setUp(t, { refuses = false } = {}) {
  const tick = clock(t);
  const requests = [];
  let news = [];
  globalThis.window = {
    fetchLater(url, init) {
      if (refuses) throw new DOMException("full", "QuotaExceededError");
      requests.push({ url, body: init.body, signal: init.signal });
    },
  };
  t.after(() => delete globalThis.window);
  const guard = new Guard();
  const self = later(guard, "u", () => news.shift());
  return { tick, self, guard, requests, say: (...bodies) => (news = bodies), armed: () => requests.filter(({ signal }) => !signal.aborted).map(({ body }) => body) };
}

test("armed two seconds after something happened, and again with newer vitals, one at a time", (t) => {
  const { tick, self, say, armed, requests } = setUp(t);
  say("first", "second");
  self.touch();
  self.touch();
  tick(1999);
  assert.equal(requests.length, 0);
  tick(1);
  assert.deepEqual(armed(), ["first"]);
  self.touch();
  tick(2000);
  assert.deepEqual([armed(), requests.length], [["second"], 2]);
});

test("what is armed stays when no vital has changed", (t) => {
  const { tick, self, say, armed, requests } = setUp(t);
  say("first");
  for (let n = 0; n < 3; n++) {
    self.touch();
    tick(2000);
  }
  assert.deepEqual([armed(), requests.length], [["first"], 1]);
});

test("taken back at exit, also when it was about to be armed; armed again when the page is back", (t) => {
  const { tick, self, say, armed } = setUp(t);
  say("first");
  self.touch();
  tick(2000);
  self.touch();
  self.disarm();
  tick(4000);
  assert.deepEqual(armed(), []);
  self.touch();
  tick(2000);
  assert.deepEqual(armed(), ["first"]);
});

test("a browser that refuses costs nothing but the try", (t) => {
  const { tick, self, say, guard } = setUp(t, { refuses: true });
  say("first");
  self.touch();
  tick(2000);
  assert.deepEqual([guard.off, guard.swallowed], [false, 0]);
});

test("a browser without fetchLater never asks for a snapshot", (t) => {
  const tick = clock(t);
  globalThis.window = {};
  t.after(() => delete globalThis.window);
  const self = later(new Guard(), "u", () => assert.fail("nobody asked"));
  self.touch();
  tick(9000);
  self.disarm();
});
