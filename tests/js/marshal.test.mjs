// Marshalling writes what wasm/abi/inbox.h says.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/bundle.mjs";
import { eventEntry, resourceEntry, startFact, unreadable } from "./support/entries.mjs";

const abi = await load("abi");
const marshalling = await load("bridge/batch", "bridge/marshal");
const { Batch, marshal } = marshalling;
const { InboxKind: Kind } = abi;

/** Writes one record and reads it back by field name. */
function write(kind, item, extra, batch = new Batch(new Float64Array(abi.Inbox.WORDS))) {
  const from = batch.at;
  marshal(batch, kind, item, extra);
  assert.equal(batch.commit(), true);
  const strings = textsOf(batch);
  const at = (offset, layout, field) => batch.words[from + offset + abi[layout][field]];
  return {
    batch, words: batch.at - from,
    number: (layout, field, offset = 0) => at(offset, layout, field),
    text: (layout, field, offset = 0) => { const index = at(offset, layout, field); return index === 0 ? "" : strings[index - 1]; },
  };
}

function textsOf(batch) {
  const target = new Uint8Array(abi.Inbox.STRING_BYTES);
  return new TextDecoder().decode(target.subarray(0, batch.encodeStrings(target))).split("\0");
}

test("a resource has its kind, its size and every field in place", () => {
  const r = write(Kind.RESOURCE, resourceEntry());
  assert.equal(r.batch.words[0], Kind.RESOURCE);
  assert.equal(r.words, abi.InboxResource.WORDS);
  assert.equal(r.text("InboxResource", "NAME"), "http://shop.test/a.js");
  const expected = {
    START_TIME: 10, FETCH_START: 10, REDIRECT_START: 0, WORKER_START: 0, DOMAIN_LOOKUP_START: 0, CONNECT_START: 0, CONNECT_END: 10,
    REQUEST_START: 12, RESPONSE_START: 20, RESPONSE_END: 25, FIRST_INTERIM_RESPONSE_START: 0, FINAL_RESPONSE_HEADERS_START: 20,
    TRANSFER_SIZE: 1300, ENCODED_BODY_SIZE: 1000, DECODED_BODY_SIZE: 3000, RESPONSE_STATUS: 200,
    INITIATOR_TYPE: abi.InitiatorType.SCRIPT, NEXT_HOP_PROTOCOL: abi.NextHopProtocol.H2, DELIVERY_TYPE: abi.DeliveryType.NETWORK,
    RENDER_BLOCKING: 1, SERVER_TIMINGS: 0,
  };
  for (const [field, value] of Object.entries(expected)) assert.equal(r.number("InboxResource", field), value, field);
});

test("a reused connection is not read phase by phase", () => {
  const names = ["domainLookupStart", "domainLookupEnd", "connectStart", "secureConnectionStart", "redirectStart", "redirectEnd",
    "firstInterimResponseStart", "deliveryType"];
  const r = write(Kind.RESOURCE, unreadable(resourceEntry(), names));
  // 0 beside a connectEnd says "as the phase before it".
  assert.equal(r.number("InboxResource", "DOMAIN_LOOKUP_END"), 0);
  assert.equal(r.number("InboxResource", "CONNECT_END"), 10);
});

test("what a batch left behind is not read as part of the next", () => {
  const batch = new Batch(new Float64Array(abi.Inbox.WORDS));
  marshal(batch, Kind.RESOURCE, resourceEntry({ startTime: 1, redirectStart: 1, redirectEnd: 9 }));
  batch.commit();
  marshal(batch, Kind.RESOURCE, resourceEntry({ startTime: 1, redirectStart: 1, redirectEnd: 9 }));
  batch.rollback();
  batch.reset();
  assert.ok(batch.words.every((word) => word === 0));
});

test("a new connection with a redirect is read whole", () => {
  const r = write(Kind.RESOURCE, resourceEntry({
    startTime: 1, redirectStart: 1, redirectEnd: 9, domainLookupStart: 11, domainLookupEnd: 12, connectStart: 12, secureConnectionStart: 13, connectEnd: 15,
    requestStart: 16, responseStart: 18, firstInterimResponseStart: 18,
  }));
  const expected = { REDIRECT_START: 1, REDIRECT_END: 9, DOMAIN_LOOKUP_START: 11, DOMAIN_LOOKUP_END: 12, CONNECT_START: 12,
    SECURE_CONNECTION_START: 13, CONNECT_END: 15, FIRST_INTERIM_RESPONSE_START: 18, FINAL_RESPONSE_HEADERS_START: 20 };
  for (const [field, value] of Object.entries(expected)) assert.equal(r.number("InboxResource", field), value, field);
});

test("a masked resource keeps only what the browser gives, and reads no phase", () => {
  const masked = resourceEntry({ requestStart: 0, responseStart: 0, transferSize: 0, encodedBodySize: 0, decodedBodySize: 0 });
  const names = ["domainLookupStart", "connectStart", "connectEnd", "nextHopProtocol", "serverTiming", "finalResponseHeadersStart"];
  const r = write(Kind.RESOURCE, unreadable(masked, names));
  assert.equal(r.number("InboxResource", "RESPONSE_END"), 25);
  assert.equal(r.number("InboxResource", "CONNECT_END"), 0);
});

test("what the browser does not have is NaN", () => {
  const r = write(Kind.RESOURCE, resourceEntry({ responseStatus: undefined, finalResponseHeadersStart: undefined, firstInterimResponseStart: undefined }));
  assert.ok(Number.isNaN(r.number("InboxResource", "RESPONSE_STATUS")));
  assert.ok(Number.isNaN(r.number("InboxResource", "FINAL_RESPONSE_HEADERS_START")));
  assert.ok(Number.isNaN(r.number("InboxResource", "FIRST_INTERIM_RESPONSE_START")));
});

test("server timings follow their resource, eight at most", () => {
  const timing = (n) => ({ name: "t" + n, description: n ? "d" + n : "", duration: n });
  const r = write(Kind.RESOURCE, resourceEntry({ serverTiming: Array.from({ length: 9 }, (_, n) => timing(n)) }));
  assert.equal(r.number("InboxResource", "SERVER_TIMINGS"), 8);
  assert.equal(r.words, abi.InboxResource.WORDS + 8 * abi.InboxServerTiming.WORDS);
  const second = abi.InboxResource.WORDS + abi.InboxServerTiming.WORDS;
  assert.equal(r.number("InboxServerTiming", "KIND", second), Kind.SERVER_TIMING);
  assert.equal(r.text("InboxServerTiming", "NAME", second), "t1");
  assert.equal(r.text("InboxServerTiming", "DESCRIPTION", second), "d1");
  assert.equal(r.number("InboxServerTiming", "DURATION", second), 1);
  assert.equal(r.number("InboxServerTiming", "DESCRIPTION", abi.InboxResource.WORDS), 0);
});

test("unknown protocol, initiator and delivery names map to the schema's other", () => {
  const r = write(Kind.RESOURCE, resourceEntry({ initiatorType: "portal", nextHopProtocol: "hq-29", deliveryType: "pigeon", transferSize: 0 }));
  assert.equal(r.number("InboxResource", "INITIATOR_TYPE"), abi.InitiatorType.OTHER);
  assert.equal(r.number("InboxResource", "NEXT_HOP_PROTOCOL"), abi.NextHopProtocol.OTHER);
  assert.equal(r.number("InboxResource", "DELIVERY_TYPE"), abi.DeliveryType.OTHER);
});

test("the start record carries the ids word by word", () => {
  const r = write(Kind.START, startFact());
  assert.equal(r.words, abi.InboxStart.WORDS);
  assert.deepEqual(["VIEW_ID_0", "VIEW_ID_3", "SESSION_ID_0", "SESSION_ID_3"].map((f) => r.number("InboxStart", f)), [1, 4, 5, 8]);
  assert.equal(r.text("InboxStart", "APP"), "shop");
  assert.equal(r.text("InboxStart", "ROUTE"), "/p/:id");
  assert.equal(r.number("InboxStart", "REFERRER"), 0);
  assert.ok(Number.isNaN(r.number("InboxStart", "DEVICE_MEMORY")));
  assert.equal(r.number("InboxStart", "READY_STATE"), 2);
});

test("an event tells interaction, target and first input", () => {
  const r = write(Kind.EVENT, eventEntry({ entryType: "first-input" }), "#buy");
  assert.equal(r.words, abi.InboxEvent.WORDS);
  assert.equal(r.text("InboxEvent", "TARGET"), "#buy");
  assert.deepEqual(["START_TIME", "DURATION", "PROCESSING_START", "PROCESSING_END", "INTERACTION_ID", "CANCELABLE", "FIRST_INPUT"]
    .map((f) => r.number("InboxEvent", f)), [500, 96, 510, 590, 4001, 1, 1]);
});

test("largest paint, shift, paint, task, timing, visibility and lifecycle are in place", () => {
  const lcp = write(Kind.LARGEST_PAINT, { entry: { startTime: 80, renderTime: 80, loadTime: 60, size: 900, url: "http://shop.test/h.png" }, last: true }, "#hero");
  assert.deepEqual(["START_TIME", "RENDER_TIME", "LOAD_TIME", "SIZE", "LAST"].map((f) => lcp.number("InboxLargestPaint", f)), [80, 80, 60, 900, 1]);
  assert.equal(lcp.text("InboxLargestPaint", "TARGET"), "#hero");
  const shift = write(Kind.LAYOUT_SHIFT, { startTime: 90, value: 0.125, hadRecentInput: false }, "");
  assert.deepEqual(["START_TIME", "VALUE", "HAD_RECENT_INPUT", "TARGET"].map((f) => shift.number("InboxLayoutShift", f)), [90, 0.125, 0, 0]);
  const paint = write(Kind.PAINT, { name: "first-paint", startTime: 33 });
  assert.equal(paint.text("InboxPaint", "NAME"), "first-paint");
  const task = write(Kind.LONG_TASK, { name: "self", startTime: 5, duration: 70 });
  assert.equal(task.number("InboxLongTask", "DURATION"), 70);
  const mark = write(Kind.USER_TIMING, { entryType: "mark", name: "m", startTime: 5, duration: 0 });
  assert.equal(mark.number("InboxUserTiming", "IS_MEASURE"), 0);
  const measure = write(Kind.USER_TIMING, { entryType: "measure", name: "m", startTime: 5, duration: 9 });
  assert.deepEqual(["DURATION", "IS_MEASURE"].map((f) => measure.number("InboxUserTiming", f)), [9, 1]);
  const hidden = write(Kind.VISIBILITY, { time: 44, hidden: true, buffered: false });
  assert.deepEqual(["START_TIME", "HIDDEN", "BUFFERED"].map((f) => hidden.number("InboxVisibility", f)), [44, 1, 0]);
  const idle = write(Kind.LIFECYCLE, { event: abi.InboxLifecycle.IDLE, time: 50 });
  assert.deepEqual([idle.number("InboxLifecycleField", "EVENT"), idle.number("InboxLifecycleField", "TIME")], [5, 50]);
});

test("a long frame brings its eight longest scripts first, then others up to 32, each in order of time", () => {
  const script = (n) => ({ sourceURL: "s" + n, sourceFunctionName: "f", invoker: "i", invokerType: "event-listener", startTime: n, duration: n === 0 ? 1 : 100 - n,
    forcedStyleAndLayoutDuration: 2, pauseDuration: 3, sourceCharPosition: -1 });
  const r = write(Kind.LONG_FRAME, { startTime: 0, duration: 90, renderStart: 70, styleAndLayoutStart: 80, firstUIEventTimestamp: 3, blockingDuration: 40,
    scripts: Array.from({ length: 34 }, (_, n) => script(n)) });
  const at = (n) => abi.InboxLongFrame.WORDS + n * abi.InboxFrameScript.WORDS;
  assert.equal(r.number("InboxLongFrame", "SCRIPTS"), 32);
  // The first took 1 ms, and is left out with the shortest of the others.
  assert.deepEqual([0, 7, 8, 31].map((n) => r.text("InboxFrameScript", "SOURCE_URL", at(n))), ["s1", "s8", "s9", "s32"]);
  assert.equal(r.number("InboxFrameScript", "SOURCE_CHAR_POSITION", at(0)), -1);
  assert.equal(r.words, at(32));
});

test("an error, a custom event and a call are in place", () => {
  const error = write(Kind.ERROR, { time: 1, type: "TypeError", message: "no", stack: "at x", source: "a.js", line: 3, column: 4, origin: abi.ErrorOrigin.WINDOW });
  assert.equal(error.text("InboxError", "TYPE"), "TypeError");
  assert.deepEqual(["LINE", "COLUMN", "ORIGIN"].map((f) => error.number("InboxError", f)), [3, 4, 1]);
  const custom = write(Kind.CUSTOM_EVENT, { time: 2, name: "buy", attributes: { sum: 3, what: "shoe" } });
  assert.equal(custom.number("InboxCustomEvent", "ATTRIBUTES"), 2);
  const first = abi.InboxCustomEvent.WORDS;
  assert.deepEqual([custom.number("InboxAttribute", "TEXT", first), custom.number("InboxAttribute", "NUMBER", first)], [0, 3]);
  assert.equal(custom.text("InboxAttribute", "TEXT", first + abi.InboxAttribute.WORDS), "shoe");
  const call = write(Kind.CALL, { url: "http://shop.test/api", method: "GET", start: 1, headers: 5, end: undefined, status: 200, redirected: false,
    traceparent: "00-a-b-01", serverTiming: "" });
  assert.equal(call.text("InboxCall", "TRACEPARENT"), "00-a-b-01");
  assert.ok(Number.isNaN(call.number("InboxCall", "END_TIME")));
  assert.equal(call.number("InboxCall", "SERVER_TIMING"), 0);
});

test("strings of a batch count from one in order, and NUL cannot forge another", () => {
  const batch = new Batch(new Float64Array(abi.Inbox.WORDS));
  assert.deepEqual([batch.text("a"), batch.text(""), batch.text(undefined), batch.text("b\0c"), batch.text("\ud800")], [1, 0, 0, 2, 3]);
  batch.commit();
  assert.deepEqual(textsOf(batch), ["a", "b\ufffdc", "\ufffd"]);
});

test("strings reach shared memory, which encodeInto itself refuses", () => {
  const batch = new Batch(new Float64Array(abi.Inbox.WORDS));
  batch.text("größe");
  batch.commit();
  const shared = new Uint8Array(new SharedArrayBuffer(64));
  assert.equal(batch.encodeStrings(shared), 7);
  assert.equal(Buffer.from(shared.slice(0, 7)).toString(), "größe");
});

test("long strings are cut, URLs later than text", () => {
  const batch = new Batch(new Float64Array(abi.Inbox.WORDS));
  batch.text("x".repeat(5000));
  batch.url("y".repeat(5000));
  batch.commit();
  assert.deepEqual(textsOf(batch).map((s) => s.length), [1024, 4096]);
});

test("a record that does not fit is taken back whole: words", () => {
  const batch = new Batch(new Float64Array(abi.InboxPaint.WORDS + 2));
  marshal(batch, Kind.PAINT, { name: "first-paint", startTime: 1 });
  assert.equal(batch.commit(), true);
  marshal(batch, Kind.PAINT, { name: "first-contentful-paint", startTime: 2 });
  assert.equal(batch.commit(), false);
  assert.equal(batch.at, abi.InboxPaint.WORDS);
  assert.deepEqual(textsOf(batch), ["first-paint"]);
});

test("a record that does not fit is taken back whole: strings, their bytes, and ids at the end", () => {
  const batch = new Batch(new Float64Array(abi.Inbox.WORDS));
  for (let i = 0; i < abi.Inbox.STRINGS_MAX; i++) batch.text("s");
  assert.equal(batch.commit(), true);
  batch.text("one more");
  assert.equal(batch.commit(), false);
  batch.reset();
  for (let i = 0; i < 22; i++) batch.text("z".repeat(1024));
  assert.equal(batch.commit(), false);
  const tiny = new Batch(new Float64Array(3));
  marshal(tiny, Kind.VIEW, { view: [1, 2, 3, 4], startTime: 0, type: 4, url: "u", route: "r", hidden: false });
  assert.equal(tiny.commit(), false);
});

test("every kind but the resource has a row, with a field for each word of its record", () => {
  const { ROWS } = marshalling;
  for (const [name, kind] of Object.entries(Kind)) {
    if (typeof kind !== "number" || kind === Kind.RESOURCE) continue;
    const title = name.split("_").map((word) => word[0] + word.slice(1).toLowerCase()).join("");
    const { WORDS } = abi["Inbox" + title + (kind === Kind.LIFECYCLE ? "Field" : "")];
    const words = ROWS[kind].split(" ").reduce((sum, field) => sum + (field[0] === "#" ? 4 : 1), 1);
    assert.equal(words, WORDS, name);
  }
});
