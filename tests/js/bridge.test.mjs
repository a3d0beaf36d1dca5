// Queue, batches, losses: what the bridge hands to the core, with a core that only listens.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/bundle.mjs";
import { startFact } from "./support/entries.mjs";

const abi = await load("abi");
const { Bridge, QUEUE_ITEMS_MAX, QUEUE_RESERVE, Guard, configFact } = await load("bridge/bridge", "lib/queue", "lib/guard", "lib/config_fact");
const { InboxKind: Kind, LossReason } = abi;
const sizes = Object.fromEntries(Object.entries(abi).filter(([name]) => /^Inbox[A-Z]/.test(name)).map(([name, fields]) => [name, fields.WORDS]));
const WORDS_OF = { [Kind.START]: sizes.InboxStart, [Kind.PAINT]: sizes.InboxPaint, [Kind.CONFIG]: sizes.InboxConfig, [Kind.LOSS]: sizes.InboxLoss, [Kind.METER]: sizes.InboxMeter,
  [Kind.CUSTOM_EVENT]: sizes.InboxCustomEvent, [Kind.USER_TIMING]: sizes.InboxUserTiming };

function fakeCore(status = abi.CoreStatus.OK) {
  const core = {
    calls: [], words: new Float64Array(abi.Inbox.WORDS), strings: new Uint8Array(abi.Inbox.STRING_BYTES),
    take(words, stringBytes) {
      const records = [];
      for (let at = 0; at < words; at += WORDS_OF[core.words[at]]) records.push([...core.words.subarray(at, at + WORDS_OF[core.words[at]])]);
      core.calls.push({ records, stringBytes });
      return status;
    },
    seal: () => status,
    openAge: () => 0,
    stats: () => core.counts,
    counts: new Float64Array(abi.CoreStats.WORDS),
  };
  return core;
}
const mark = (n) => ({ entryType: "mark", name: "m" + n, startTime: n, duration: 0 });
const paint = (n) => ({ name: "p" + n, startTime: n });
const kinds = (call) => call.records.map(([kind]) => kind).filter((kind) => kind !== Kind.METER);

const CONFIG = configFact({ options: {}, isGranted: true, isAsked: false });

function started(core) {
  const guard = new Guard();
  const bridge = new Bridge(guard);
  bridge.start(core, startFact(), CONFIG, () => {});
  return { guard, bridge };
}

test("entries wait until the core is there, then come after the start and in order", () => {
  const core = fakeCore();
  const bridge = new Bridge(new Guard());
  bridge.push(Kind.PAINT, paint(1));
  assert.equal(bridge.flush(), false);
  bridge.push(Kind.PAINT, paint(2));
  bridge.start(core, startFact(), CONFIG, (sink) => sink.push(Kind.USER_TIMING, { entryType: "mark", name: "first", startTime: 0 }));
  bridge.flush();
  assert.deepEqual(kinds(core.calls[0]), [Kind.START, Kind.CONFIG, Kind.USER_TIMING, Kind.PAINT, Kind.PAINT]);
  assert.deepEqual(core.calls[0].records.filter(([kind]) => kind === Kind.PAINT).map((r) => r[abi.InboxPaint.START_TIME]), [1, 2]);
});

test("a batch is one call, and an empty queue is none", () => {
  const core = fakeCore();
  const { bridge } = started(core);
  for (let i = 0; i < 64; i++) bridge.push(Kind.PAINT, paint(i));
  bridge.flush();
  assert.equal(core.calls.length, 1);
  assert.equal(bridge.queued, 0);
});

test("the queue is bounded and what does not fit is counted and reported", () => {
  const core = fakeCore();
  const guard = new Guard();
  const bridge = new Bridge(guard);
  for (let i = 0; i < QUEUE_ITEMS_MAX + 5; i++) bridge.push(Kind.USER_TIMING, mark(i));
  assert.equal(bridge.queued, QUEUE_ITEMS_MAX);
  bridge.start(core, startFact(), CONFIG, () => {});
  bridge.flush();
  const records = core.calls.flatMap((call) => call.records);
  assert.equal(records.filter(([kind]) => kind === Kind.USER_TIMING).length, QUEUE_ITEMS_MAX);
  assert.deepEqual(records.filter(([kind]) => kind === Kind.LOSS), [[Kind.LOSS, LossReason.QUEUE_FULL, 5]]);
  assert.ok(core.calls.length > 1, "more than one inbox full");
});

test("a full queue has room for what the vitals are made of, then only for the state, then for nothing", () => {
  const bridge = new Bridge(new Guard());
  const event = (interactionId) => ({ name: "click", startTime: 1, interactionId });
  const fill = (kind, item, times) => { for (let i = 0; i < times; i++) bridge.push(kind, item); return bridge.queued; };
  assert.equal(fill(Kind.RESOURCE, {}, QUEUE_ITEMS_MAX + 1), QUEUE_ITEMS_MAX);
  assert.equal(fill(Kind.EVENT, event(0), 1), QUEUE_ITEMS_MAX);
  assert.equal(fill(Kind.CUSTOM_EVENT, {}, 1), QUEUE_ITEMS_MAX);
  assert.equal(fill(Kind.EVENT, event(7), 1), QUEUE_ITEMS_MAX + 1);
  assert.equal(fill(Kind.LAYOUT_SHIFT, {}, 2 * QUEUE_RESERVE), QUEUE_ITEMS_MAX + QUEUE_RESERVE);
  assert.equal(fill(Kind.VISIBILITY, {}, 1), QUEUE_ITEMS_MAX + QUEUE_RESERVE + 1);
  assert.equal(fill(Kind.LIFECYCLE, {}, 2 * QUEUE_RESERVE), QUEUE_ITEMS_MAX + 2 * QUEUE_RESERVE);
  assert.equal(fill(Kind.LARGEST_PAINT, {}, 1), QUEUE_ITEMS_MAX + 2 * QUEUE_RESERVE);
  assert.equal(bridge.queue.lost.get(LossReason.QUEUE_FULL), 1 + 1 + 1 + QUEUE_RESERVE + 1 + QUEUE_RESERVE + 1 + 1);
});

test("what the core sheds is refused at the door and counted for its reason", () => {
  const core = fakeCore();
  const { bridge } = started(core);
  core.counts[abi.CoreStats.SHEDS] = 2 ** 31 + 2 ** Kind.RESOURCE;
  core.counts[abi.CoreStats.SHED_REASON] = LossReason.CONSENT;
  bridge.flush();
  bridge.push(Kind.RESOURCE, {});
  bridge.push(Kind.CUSTOM_METRIC, {}); // the highest bit
  bridge.push(Kind.PAINT, paint(1));
  assert.equal(bridge.queued, 1);
  core.counts[abi.CoreStats.SHEDS] = 0;
  bridge.flush();
  assert.deepEqual(core.calls[1].records.find(([kind]) => kind === Kind.LOSS), [Kind.LOSS, LossReason.CONSENT, 2]);
  bridge.push(Kind.USER_TIMING, mark(1));
  assert.equal(bridge.queued, 1);
});

test("off, the SDK is taken down after the last segment was sealed", () => {
  const core = fakeCore(abi.CoreStatus.SEALED);
  const { guard, bridge } = started(core);
  core.counts[abi.CoreStats.SHEDS] = 2 ** 32 - 1;
  let told = 0;
  guard.onDisable = () => told++;
  assert.equal(bridge.flush(), true);
  assert.deepEqual([guard.off, told], [true, 1]);
  assert.match(guard.reason, /budget/);
});

test("CONFIG follows START with the defaults of what is not given", () => {
  const core = fakeCore();
  started(core).bridge.flush();
  const { InboxConfig: C } = abi;
  const config = core.calls[0].records[1];
  assert.equal(config[0], Kind.CONFIG);
  assert.deepEqual([C.SAMPLE_RATE, C.CONSENT, C.FLIGHT_RECORDER, C.TRIGGER, C.BUDGET_MS_PER_MINUTE, C.BUDGET_US_PER_ENTRY, C.BUDGET_BYTES, C.QUERY_KEYS].map((field) => config[field]),
    [NaN, 0, 1, 0, 200, 250, 2_000_000, 0]);
  const given = configFact({
    options: { sampleRate: 0.25, flightRecorder: false, queryKeys: ["q", "page"], budget: { bytes: 5, usPerEntry: Infinity } }, isGranted: false, isAsked: true,
  });
  assert.deepEqual(given, { sampleRate: 0.25, consent: 1, flightRecorder: false, trigger: true, msPerMinute: 200, usPerEntry: undefined, bytes: 5, queryKeys: "q page" });
});

test("losses are reported once", () => {
  const core = fakeCore();
  const { bridge } = started(core);
  bridge.lose(LossReason.BROWSER_DROPPED, 3);
  bridge.lose(LossReason.BROWSER_DROPPED, 4);
  bridge.flush();
  bridge.push(Kind.PAINT, paint(1));
  bridge.flush();
  const losses = core.calls.flatMap((call) => call.records).filter(([kind]) => kind === Kind.LOSS);
  assert.deepEqual(losses, [[Kind.LOSS, LossReason.BROWSER_DROPPED, 7]]);
});

test("a record larger than any batch is counted as too large, the next one goes on", () => {
  const core = fakeCore();
  const { bridge } = started(core);
  bridge.flush();
  const script = { sourceURL: "u".repeat(4096), sourceFunctionName: "f".repeat(1024), invoker: "i".repeat(1024), startTime: 1, duration: 1 };
  bridge.push(Kind.LONG_FRAME, { startTime: 1, duration: 100, scripts: Array(8).fill(script) });
  bridge.push(Kind.PAINT, paint(1));
  bridge.flush();
  const records = core.calls.slice(1).flatMap((call) => call.records);
  assert.deepEqual(records.map(([kind]) => kind).filter((kind) => kind !== Kind.METER), [Kind.PAINT, Kind.LOSS]);
  assert.equal(records.find(([kind]) => kind === Kind.LOSS)[abi.InboxLoss.REASON], LossReason.TOO_LARGE);
});

test("an entry whose getter throws is counted, and the others of its batch arrive", () => {
  const core = fakeCore();
  const { guard, bridge } = started(core);
  bridge.push(Kind.PAINT, paint(1));
  bridge.push(Kind.PAINT, { get name() { throw new Error("gone"); } });
  bridge.push(Kind.PAINT, paint(3));
  bridge.flush();
  assert.deepEqual(kinds(core.calls[0]), [Kind.START, Kind.CONFIG, Kind.PAINT, Kind.PAINT, Kind.LOSS]);
  assert.deepEqual([guard.swallowed, guard.off], [1, false]);
});

test("sealed comes through from any call of a flush", () => {
  const { bridge } = started(fakeCore(abi.CoreStatus.SEALED));
  assert.equal(bridge.flush(), true);
  assert.equal(bridge.seal(false), true);
});

test("a core that refuses a batch switches everything off, once, with the reason", () => {
  const { guard, bridge } = started(fakeCore(abi.CoreStatus.BAD_BATCH));
  let told = 0;
  guard.onDisable = () => told++;
  bridge.flush();
  bridge.push(Kind.PAINT, paint(1));
  bridge.flush();
  assert.deepEqual([guard.off, told], [true, 1]);
  assert.match(guard.reason, /refused/);
});

test("a trap in the core switches everything off and is not thrown at the page", () => {
  const core = fakeCore();
  core.take = () => { throw new WebAssembly.RuntimeError("unreachable"); };
  const { guard, bridge } = started(core);
  assert.doesNotThrow(() => guard.run(() => bridge.flush()));
  assert.match(guard.reason, /trapped/);
});

test("a limit hands over a slice and keeps the rest", () => {
  const core = fakeCore();
  const { bridge } = started(core);
  for (let i = 0; i < 10; i++) bridge.push(Kind.PAINT, paint(i));
  bridge.flush(4);
  assert.equal(bridge.queued, 8);
});

test("metered time is reported in whole microseconds and never twice", () => {
  const core = fakeCore();
  const { guard, bridge } = started(core);
  const meters = () => core.calls.flatMap((call) => call.records).filter(([kind]) => kind === Kind.METER).map((record) => record[abi.InboxMeter.MAIN_THREAD_US]);
  guard.run(() => { const until = performance.now() + 2; while (performance.now() < until); });
  bridge.flush();
  const [us] = meters();
  assert.ok(us >= 2000 && Number.isInteger(us), String(us));
  bridge.push(Kind.PAINT, paint(1));
  bridge.flush();
  assert.equal(meters().length, 1);
});

test("the guard swallows, counts, and gives up after too many", () => {
  const guard = new Guard();
  for (let i = 0; i < 21; i++) guard.run(() => { throw new Error("e" + i); });
  assert.deepEqual([guard.swallowed, guard.off], [21, true]);
});
