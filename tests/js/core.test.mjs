// The bridge with the real core: entries in, a beacon out that the schema's own decoder reads. Needs the preset wasm.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import protobuf from "protobufjs";
import { load, top } from "./support/bundle.mjs";
import { eventEntry, resourceEntry, startFact } from "./support/entries.mjs";

const wasm = process.env.VITRACE_WASM ?? join(top, "build/wasm/vitrace.wasm");
assert.ok(existsSync(wasm), `${wasm} is missing: build the CMake preset "wasm" first`);
const bytes = readFileSync(wasm);

const abi = await load("abi");
const { Bridge, Guard, InFlight, Ring, instantiateCore, Exit, configFact } = await load("bridge/bridge", "lib/guard", "ring", "bridge/memory", "exit/exit", "worker/in_flight", "lib/config_fact");
const { InboxKind: Kind, InboxLifecycle: Lifecycle } = abi;
const Beacon = (await protobuf.load(join(top, "proto/vitrace/v1/beacon.proto"))).lookupType("vitrace.v1.Beacon");

async function setUp(first = () => {}, options = {}) {
  const core = await instantiateCore(bytes);
  const guard = new Guard();
  const bridge = new Bridge(guard);
  const budget = { mainThreadMsPerMinute: Infinity, usPerEntry: Infinity, bytes: Infinity };
  bridge.start(core, startFact(), configFact({ options: { budget, ...options }, isGranted: true, isAsked: false }), first);
  return { core, guard, bridge, ring: new Ring(core.memory.buffer, core.ringAddress) };
}

/** Takes every sealed segment as a sender would. */
function receive(ring) {
  const beacons = [];
  for (let segment = ring.take(); segment >= 0; segment = ring.take()) {
    const beacon = Beacon.decode(ring.copy(segment));
    beacons.push({ beacon, text: (ref) => (ref ? beacon.strings[ref - 1] : "") });
    ring.release(segment, true);
  }
  return beacons;
}
const navigation = {
  entryType: "navigation", name: "http://shop.test/p/7?token=secret", type: "navigate", activationStart: 0, redirectStart: 0, redirectEnd: 0, workerStart: 0,
  fetchStart: 1, domainLookupStart: 1, domainLookupEnd: 1, connectStart: 1, secureConnectionStart: 0, connectEnd: 1, requestStart: 2, responseStart: 30, responseEnd: 40,
  unloadEventStart: 0, unloadEventEnd: 0, domInteractive: 50, domContentLoadedEventStart: 55, domContentLoadedEventEnd: 56, domComplete: 70, loadEventStart: 70, loadEventEnd: 71,
  transferSize: 900, encodedBodySize: 600, decodedBodySize: 600, nextHopProtocol: "http/1.1", responseStatus: 200, deliveryType: "", redirectCount: 0, serverTiming: [],
};
const trace = "00-" + "ab".repeat(16) + "-" + "cd".repeat(8) + "-01";

test("entries go in, one beacon comes out that tells of all of them", async () => {
  const { bridge, ring, guard } = await setUp((sink) => {
    sink.push(Kind.NAVIGATION, navigation);
    sink.push(Kind.META_TRACE, trace);
  });
  bridge.push(Kind.RESOURCE, resourceEntry({ name: "http://shop.test/a.js?v=1", serverTiming: [{ name: "traceparent", description: trace, duration: 0 }, { name: "db", description: "q", duration: 3.5 }] }));
  bridge.push(Kind.PAINT, { name: "first-contentful-paint", startTime: 80.5 });
  bridge.push(Kind.LARGEST_PAINT, { entry: { startTime: 90.25, renderTime: 90.25, loadTime: 0, size: 700, url: "" }, last: true }, "#hero");
  bridge.push(Kind.LAYOUT_SHIFT, { startTime: 95, value: 0.0625, hadRecentInput: false }, "main>p");
  bridge.push(Kind.EVENT, eventEntry(), "#buy");
  bridge.push(Kind.INTERACTION_COUNT, 1);
  bridge.push(Kind.LIFECYCLE, { event: Lifecycle.IDLE, time: 700 });
  bridge.push(Kind.LIFECYCLE, { event: Lifecycle.LOADED, time: 701 });
  bridge.push(Kind.USER_TIMING, { entryType: "measure", name: "boot", startTime: 5, duration: 6 });
  bridge.push(Kind.CUSTOM_EVENT, { time: 800, name: "buy", attributes: { sum: 3, what: "shoe" } });
  bridge.push(Kind.ERROR, { time: 801, type: "TypeError", message: "no", stack: "at x", source: "http://shop.test/a.js", line: 1, column: 2, origin: 3 });
  bridge.push(Kind.CALL, { url: "http://shop.test/api", method: "GET", start: 300, headers: 320, end: undefined, status: 200, redirected: false, traceparent: trace, serverTiming: "" });
  bridge.push(Kind.VISIBILITY, { time: 900, hidden: true, buffered: false });
  assert.equal(bridge.flush(), false);
  assert.equal(bridge.seal(true), true);
  assert.equal(guard.off, false, guard.reason);

  const [{ beacon, text }, ...rest] = receive(ring);
  assert.equal(rest.length, 0);
  const { header } = beacon;
  assert.deepEqual([header.app, header.seq, header.transport, header.page.route, header.page.url], ["shop", 0, 2, "/p/:id", "http://shop.test/p/7"]);
  assert.equal(Buffer.from(header.viewId).toString("hex"), "00000001000000020000000300000004");
  assert.equal(beacon.resources.length, 1);
  assert.equal(text(beacon.resources[0].nameRef), "http://shop.test/a.js");
  assert.equal(Number(beacon.resources[0].startUs), 10_000);
  assert.equal(Buffer.from(beacon.resources[0].claims[0].traceId).toString("hex"), "ab".repeat(16));
  assert.equal(beacon.navigation.claims.length, 1);
  assert.equal(text(beacon.events[0].targetRef), "#buy");
  assert.equal(text(beacon.layoutShifts[0].targetRef), "main>p");
  assert.equal(Number(beacon.userTimings[0].durationUs), 6000);
  assert.deepEqual(beacon.customEvents[0].attributes.map((a) => [text(a.keyRef), text(a.textRef), a.number]), [["sum", "", 3], ["what", "shoe", 0]]);
  assert.equal(text(beacon.errors[0].messageRef), "no");
  assert.equal(Number(beacon.calls[0].headersUs), 20_000);
  assert.equal(beacon.visibilityStates.at(-1).hidden, true);
  const vital = (metric) => beacon.vitals.find((v) => v.metric === metric)?.value;
  assert.deepEqual([vital(4), vital(1), vital(2), vital(5), vital(3)], [80.5, 90.25, 96, 30, 0.0625]);
  assert.equal(beacon.ledger.entriesSeen, beacon.ledger.entriesEncoded);
  assert.equal(beacon.ledger.final, true);
});

test("strings keep their place across a batch that had to be split", async () => {
  const { bridge, ring } = await setUp();
  for (let i = 0; i < 180; i++) bridge.push(Kind.USER_TIMING, { entryType: "mark", name: `m${i}-` + "ü".repeat(300), startTime: i, duration: 0 });
  bridge.flush();
  bridge.seal(true);
  const marks = receive(ring).flatMap(({ beacon, text }) => beacon.userTimings.map((t) => [Number(t.startUs) / 1000, text(t.nameRef)]));
  assert.equal(marks.length, 180);
  for (const [i, name] of marks) assert.ok(name.startsWith(`m${i}-ü`), name.slice(0, 12));
});

test("losses of the bridge reach the ledger of the beacon", async () => {
  const { bridge, ring } = await setUp();
  bridge.lose(abi.LossReason.BROWSER_DROPPED, 74);
  bridge.push(Kind.PAINT, { name: "first-paint", startTime: 5 });
  bridge.flush();
  bridge.seal(false);
  const [{ beacon }] = receive(ring);
  assert.deepEqual(beacon.ledger.losses.map(({ reason, count }) => [reason, count]), [[abi.LossReason.BROWSER_DROPPED, 74]]);
});

test("a return from the back/forward cache closes the old view and starts another at seq 0", async () => {
  const { bridge, ring } = await setUp();
  bridge.push(Kind.PAINT, { name: "first-paint", startTime: 5 });
  const now = performance.now();
  bridge.push(Kind.VIEW, { view: [9, 9, 9, 9], startTime: now, type: abi.NavigationType.BACK_FORWARD_CACHE, url: "http://shop.test/", route: "/", hidden: false });
  bridge.push(Kind.PAINT, { name: "first-contentful-paint", startTime: now + 12.5 });
  assert.equal(bridge.flush(), true);
  bridge.seal(false);
  const [old, restored] = receive(ring);
  assert.notDeepEqual([...old.beacon.header.viewId], [...restored.beacon.header.viewId]);
  assert.deepEqual([restored.beacon.header.seq, restored.beacon.header.page.navigationType], [0, abi.NavigationType.BACK_FORWARD_CACHE]);
  const fcp = restored.beacon.vitals.find((v) => v.metric === abi.Metric.FCP);
  assert.ok(Math.abs(fcp.value - 12.5) < 1e-6, String(fcp.value));
});

test("a full ring loses entries with a count, and goes on when the sender has caught up", async () => {
  const { bridge, ring, core, guard } = await setUp();
  const fill = (n) => {
    for (let i = 0; i < n; i++) bridge.push(Kind.USER_TIMING, { entryType: "mark", name: `${i}-${Math.random()}-` + "x".repeat(900), startTime: i, duration: 0 });
    bridge.flush();
  };
  fill(400);
  const lost = core.stats()[abi.CoreStats.LOST_RING_FULL];
  assert.ok(lost > 0);
  assert.equal(guard.off, false);
  assert.ok(receive(ring).length >= 7);
  fill(5);
  bridge.seal(true);
  const last = receive(ring).at(-1).beacon;
  assert.deepEqual(last.ledger.losses.map(({ reason, count }) => [reason, count]), [[abi.LossReason.RING_FULL, lost]]);
  assert.equal(last.ledger.entriesSeen, last.ledger.entriesEncoded + lost);
});

test("the exit path sends what the core sealed, byte for byte", async () => {
  const { bridge, ring } = await setUp();
  bridge.push(Kind.PAINT, { name: "first-paint", startTime: 5 });
  bridge.flush();
  bridge.seal(true);
  const bodies = [];
  new Exit(ring, { inFlight: new InFlight(), packNow: (body) => body, sendBeacon: (_url, body) => bodies.push(body) > 0, fetch: assert.fail }, "u").leave(true);
  assert.equal(bodies.length, 1);
  assert.equal(Beacon.decode(bodies[0]).paints.length, 1);
  assert.equal(ring.take(), -1);
});

test("what the browser does not have is told apart from zero", async () => {
  const { bridge, ring, core, guard } = await setUp();
  bridge.push(Kind.RESOURCE, resourceEntry({ responseStatus: undefined, finalResponseHeadersStart: undefined, firstInterimResponseStart: undefined, serverTiming: undefined }));
  bridge.flush();
  bridge.seal(false);
  assert.equal(core.stats()[abi.CoreStats.LOST_BAD_ENTRY], 0);
  assert.equal(receive(ring)[0].beacon.resources.length, 1);
  assert.equal(guard.off, false);
});

test("a core of another ABI is refused", async () => {
  const { coreOf } = await load("bridge/memory");
  assert.throws(() => coreOf({ memory: {}, instance: { exports: { [abi.CoreExport.ABI_VERSION]: () => 99 } } }), /ABI 99/);
});

test("a snapshot is a beacon of its own, tells of the vitals, and comes again only when they changed", async () => {
  const { bridge, core, ring } = await setUp((sink) => sink.push(Kind.NAVIGATION, navigation));
  bridge.push(Kind.PAINT, { name: "first-contentful-paint", startTime: 5 });
  bridge.flush();
  const first = Beacon.decode(core.snapshot());
  assert.equal(first.header.seq, 0xffffffff);
  assert.deepEqual([first.vitals.some(({ metric, value }) => metric === 4 && value === 5), first.ledger.final], [true, false]);
  assert.equal(core.snapshot(), undefined);
  bridge.seal(true);
  assert.equal(receive(ring)[0].beacon.header.seq, 0);
});

const mark = (n) => ({ entryType: "mark", name: "m" + n, startTime: n, duration: 0 });
const thrown = { time: 801, type: "TypeError", message: "no", stack: "at x", source: "", line: 1, column: 2, origin: 3 };

test("a page that sampling leaves out sends nothing, and all it recorded once it turns bad", async () => {
  const { bridge, ring } = await setUp(() => {}, { sampleRate: 0 });
  for (let n = 0; n < 10; n++) bridge.push(Kind.USER_TIMING, mark(n));
  assert.equal(bridge.flush(), false);
  assert.equal(bridge.seal(true), false);
  assert.equal(receive(ring).length, 0);
  bridge.push(Kind.ERROR, thrown);
  assert.equal(bridge.flush(), true);
  const beacons = receive(ring);
  assert.deepEqual(beacons.map(({ beacon }) => beacon.header.seq), [0, 1]);
  for (const { beacon } of beacons) assert.deepEqual([beacon.header.trigger, beacon.header.sampleRatePpm], [3, 1]);
  assert.equal(beacons[0].beacon.userTimings.length + beacons[1].beacon.userTimings.length, 10);
});

test("without the recorder, what sampling leaves out is not even brought to the core", async () => {
  const { bridge, ring } = await setUp(() => {}, { sampleRate: 0, flightRecorder: false });
  bridge.flush();
  bridge.push(Kind.RESOURCE, resourceEntry());
  assert.equal(bridge.queued, 0);
  bridge.push(Kind.ERROR, thrown);
  bridge.flush();
  assert.equal(bridge.seal(true), false);
  assert.equal(receive(ring).length, 0);
});

test("over its budget of bytes, the core sheds resources at the door, and says so", async () => {
  const { bridge, ring, core } = await setUp(() => {}, { budget: { mainThreadMsPerMinute: Infinity, usPerEntry: Infinity, bytes: 1500 } });
  for (let n = 0; n < 20; n++) bridge.push(Kind.RESOURCE, resourceEntry({ name: `http://shop.test/${n}.js`, startTime: n }));
  bridge.flush();
  bridge.seal(false);
  const size = core.stats()[abi.CoreStats.BYTES_ENCODED];
  assert.ok(size > 1500 && size < 2250, String(size));
  bridge.push(Kind.USER_TIMING, mark(0));
  bridge.flush(); // judged after each batch
  bridge.push(Kind.RESOURCE, resourceEntry());
  bridge.push(Kind.USER_TIMING, mark(1));
  assert.equal(bridge.queued, 1);
  bridge.flush();
  bridge.seal(true);
  const { beacon } = receive(ring).at(-1);
  assert.equal(beacon.ledger.budgetLevel, 1);
  assert.deepEqual(beacon.ledger.losses.map(({ reason, count }) => [reason, count]), [[abi.LossReason.BUDGET, 1]]);
});
