// Sources that need no page: reasons, memory, repeated errors, and the newer kinds through the real core to the beacon.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import protobuf from "protobufjs";
import { load, top } from "./support/bundle.mjs";
import { startFact } from "./support/entries.mjs";

const abi = await load("abi");
const { InboxKind: Kind, LossReason } = abi;
const { pushNotRestored, observeMemory, Repeats, Guard, Bridge, Ring, instantiateCore, customFact, configFact } = await load(
  "observe/not_restored", "observe/memory", "lib/repeats", "lib/guard", "bridge/bridge", "ring", "bridge/memory", "lib/custom", "lib/config_fact");

function collect() {
  const sink = { pushed: [], lost: [], push: (kind, item) => void sink.pushed.push({ kind, ...item }), lose: (...loss) => void sink.lost.push(loss) };
  return sink;
}

function navigated(notRestoredReasons) {
  const value = (type) => (type === "navigation" ? [{ notRestoredReasons }] : []);
  Object.defineProperty(performance, "getEntriesByType", { value, configurable: true });
  const sink = collect();
  pushNotRestored(sink);
  delete performance.getEntriesByType;
  return sink;
}
const reasons = (...names) => names.map((reason) => ({ reason }));

test("reasons come flat: the page first, then its frames by depth", () => {
  const { pushed } = navigated({
    url: "http://shop.test/", reasons: reasons("unload-listener"), children: [
      { url: "http://shop.test/ad", reasons: reasons("websocket", "masked"), children: [{ url: null, src: "http://ads.test/", reasons: null, children: null }] },
      { url: null, src: "http://ads.test/", reasons: reasons("masked"), children: [{ url: "http://shop.test/deep", reasons: reasons("lock"), children: [] }] }],
  });
  assert.deepEqual(pushed.map(({ kind, reason, url, depth }) => [kind, reason, url, depth]), [
    [Kind.NOT_RESTORED, "unload-listener", 0, 0], [Kind.NOT_RESTORED, "websocket", "http://shop.test/ad", 1], [Kind.NOT_RESTORED, "masked", "http://shop.test/ad", 1],
    [Kind.NOT_RESTORED, "masked", "http://ads.test/", 1], [Kind.NOT_RESTORED, "lock", "http://shop.test/deep", 2]]);
});

test("sixteen reasons are kept and the others counted, and no reasons are none", () => {
  const { pushed, lost } = navigated({ reasons: [], children: Array.from({ length: 9 }, () => ({ url: "u", reasons: reasons("a", "b"), children: [] })) });
  assert.equal(pushed.length, 16);
  assert.deepEqual(lost, [[LossReason.BUDGET, 1], [LossReason.BUDGET, 1]]);
  for (const none of [null, undefined]) assert.deepEqual(navigated(none).pushed, []);
});

async function weigh(answer, { isolated = true, visibility = "visible" } = {}) {
  const sink = collect(), stops = [];
  Object.assign(globalThis, { crossOriginIsolated: isolated, document: { visibilityState: visibility } });
  let asked = 0;
  performance.measureUserAgentSpecificMemory = async () => { asked++; return answer(); };
  const guard = new Guard();
  observeMemory({ guard, sink, stops, drains: [] });
  await new Promise((resolve) => setTimeout(resolve, 20));
  stops.forEach((stop) => stop());
  delete performance.measureUserAgentSpecificMemory;
  return { asked, guard, ...sink };
}
const measured = () => ({ bytes: 100, breakdown: [{ bytes: 60, types: ["JavaScript"] }, { bytes: 30, types: ["DOM", "Shared"] }, { bytes: 10, types: [] }] });

test("memory comes with its shares of JavaScript and DOM", async () => {
  const { pushed } = await weigh(measured);
  assert.deepEqual(pushed.map(({ kind, bytes, jsBytes, domBytes }) => [kind, bytes, jsBytes, domBytes]), [[Kind.MEMORY_MEASUREMENT, 100, 60, 30]]);
});

test("a page that is not isolated or not seen does not ask, and a refusal is no error", async () => {
  assert.equal((await weigh(measured, { isolated: false })).asked, 0);
  assert.equal((await weigh(measured, { visibility: "hidden" })).asked, 0);
  const refused = await weigh(() => Promise.reject(new DOMException("no", "SecurityError")));
  assert.deepEqual([refused.asked, refused.pushed.length, refused.guard.swallowed], [1, 0, 0]);
});

const error = (more) => [Kind.ERROR, { time: 1, type: "TypeError", message: "no", stack: "at x", source: "", line: 0, column: 0, origin: 1, ...more }];

test("the fourth of an error is refused, one that differs in anything that tells errors apart is not", () => {
  const repeats = new Repeats();
  for (let i = 0; i < 5; i++) assert.equal(repeats.refuses(error({ time: i })), i >= 3);
  for (const more of [{ type: "Error" }, { message: "yes" }, { stack: "at y" }, { stack: "", line: 1 }, { stack: "", column: 1 }, { stack: undefined, source: "a.js" }]) {
    assert.equal(repeats.refuses(error(more)), false, JSON.stringify(more));
  }
});

test("64 different errors a view, and a new view starts anew", () => {
  const repeats = new Repeats();
  for (let i = 0; i < 64; i++) assert.equal(repeats.refuses(error({ message: "no " + i })), false);
  assert.equal(repeats.refuses(error({ message: "one more" })), true);
  assert.equal(repeats.refuses(error({ message: "no 63" })), false);
  assert.equal(repeats.refuses([Kind.CUSTOM_EVENT, {}]), false);
  assert.equal(repeats.refuses([Kind.VIEW, {}]), false);
  assert.equal(repeats.refuses(error({ message: "one more" })), false);
});

const wasm = process.env.VITRACE_WASM ?? join(top, "build/wasm/vitrace.wasm");
assert.ok(existsSync(wasm), `${wasm} is missing: build the CMake preset "wasm" first`);
const Beacon = (await protobuf.load(join(top, "proto/vitrace/v1/beacon.proto"))).lookupType("vitrace.v1.Beacon");

/** What the beacon says after `items` went through bridge and core. */
async function send(items) {
  const core = await instantiateCore(readFileSync(wasm));
  const bridge = new Bridge(new Guard());
  const budget = { mainThreadMsPerMinute: Infinity, usPerEntry: Infinity, bytes: Infinity };
  bridge.start(core, startFact(), configFact({ options: { budget }, isGranted: true, isAsked: false }), () => {});
  for (const item of items) bridge.push(...item);
  bridge.flush();
  bridge.seal(true);
  const ring = new Ring(core.memory.buffer, core.ringAddress);
  const beacon = Beacon.decode(ring.copy(ring.take()));
  return { beacon, text: (ref) => (ref ? beacon.strings[ref - 1] : "") };
}

test("a metric of the application reaches the beacon with its exact value, unit and attributes", async () => {
  const { beacon, text } = await send([
    [Kind.CUSTOM_METRIC, { ...customFact("cart.value", { items: 3, coupon: "X1" }), value: 0.1 + 0.2, unit: "EUR" }],
    [Kind.CUSTOM_METRIC, { ...customFact("plain"), value: -1, unit: "" }],
    [Kind.CUSTOM_METRIC, { ...customFact("no number"), value: NaN, unit: "" }],
    [Kind.CUSTOM_EVENT, customFact("after", { ok: true })],
  ]);
  assert.deepEqual(beacon.customMetrics.map((m) => [text(m.nameRef), m.value, text(m.unitRef)]), [["cart.value", 0.30000000000000004, "EUR"], ["plain", -1, ""]]);
  assert.deepEqual(beacon.customMetrics[0].attributes.map((a) => [text(a.keyRef), text(a.textRef), a.number]), [["items", "", 3], ["coupon", "X1", 0]]);
  assert.deepEqual(beacon.customEvents.map((event) => text(event.nameRef)), ["after"]);
  assert.deepEqual(beacon.ledger.losses.map(({ reason, count }) => [reason, count]), [[LossReason.BAD_ENTRY, 1]]);
});

test("elements, soft navigations, reasons, memory and clicks reach the beacon", async () => {
  const { beacon, text } = await send([
    [Kind.ELEMENT, { name: "image-paint", identifier: "hero", startTime: 120.25, renderTime: 0, loadTime: 120.25, intersectionRect: { width: 20, height: 10.5 }, url: "http://a.test/i?x" }, "#hero"],
    [Kind.SOFT_NAVIGATION, { name: "http://shop.test/p/8?x", startTime: 900, interactionId: 7, paintTime: undefined, presentationTime: 950 }],
    [Kind.INTERACTION_PAINT, { startTime: 960, renderTime: 960, loadTime: 0, size: 77, url: "", interactionId: 7 }, "#title"],
    [Kind.NOT_RESTORED, { reason: "unload-listener", url: 0, depth: 0 }],
    [Kind.MEMORY_MEASUREMENT, { time: 5000, bytes: 2 ** 40, jsBytes: 1, domBytes: 0 }],
    [Kind.CLICK_PATTERN, { time: 6000, type: 1, count: 4, target: "#buy", duration: 800 }],
  ]);
  const [element] = beacon.elementTimings;
  assert.deepEqual([text(element.identifierRef), text(element.urlRef), text(element.targetRef), Number(element.size), Number(element.startUs)], ["hero", "http://a.test/i", "#hero", 210, 120_250]);
  assert.deepEqual([text(beacon.softNavigations[0].nameRef), Number(beacon.softNavigations[0].paintUs)], ["http://shop.test/p/8", 0]);
  assert.equal(text(beacon.interactionContentfulPaints[0].targetRef), "#title");
  assert.deepEqual([text(beacon.notRestoredReasons[0].reasonRef), beacon.notRestoredReasons[0].urlRef], ["unload-listener", 0]);
  assert.equal(Number(beacon.memoryMeasurements[0].bytes), 2 ** 40);
  assert.deepEqual([beacon.clickPatterns[0].type, beacon.clickPatterns[0].count, text(beacon.clickPatterns[0].targetRef)], [1, 4, "#buy"]);
  assert.deepEqual(beacon.ledger.losses, []);
});

test("what an error says too often is in the ledger", async () => {
  const { beacon } = await send(Array.from({ length: 10 }, () => error()));
  assert.equal(beacon.errors.length, 3);
  assert.deepEqual(beacon.ledger.losses.map(({ reason, count }) => [reason, count]), [[LossReason.BUDGET, 7]]);
  assert.equal(beacon.ledger.entriesSeen, 10);
});
