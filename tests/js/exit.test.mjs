// The exit path: everything that is not acked leaves once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/bundle.mjs";
import { handLaidRing } from "./support/ring.mjs";

const abi = await load("abi");
const { Ring, Exit, InFlight } = await load("ring", "exit/exit", "worker/in_flight");
const { RingState: State } = abi;

/** `accepts`: how many beacons the browser takes before it refuses. */
function setUp({ accepts = Infinity, fetch = async () => ({ ok: true }) } = {}) {
  const laid = handLaidRing(abi, Ring);
  const beacons = [];
  const fetches = [];
  const host = {
    inFlight: new InFlight(),
    packNow: (body) => body,
    sendBeacon: (url, body) => beacons.length < accepts && beacons.push({ url, bytes: [...body] }) > 0,
    fetch: (url, init) => { fetches.push({ url, init }); return fetch(url, init); },
  };
  return { ...laid, host, beacons, fetches, exit: new Exit(laid.ring, host, "http://c/v1/beacon") };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("each sealed segment is claimed and sent as its own body", () => {
  const { put, exit, beacons, state, ring } = setUp();
  put(0, { seq: 0, bytes: [1, 1] });
  put(1, { seq: 1, bytes: [2] });
  exit.leave(true);
  assert.deepEqual(beacons.map((b) => b.bytes), [[2], [1, 1]]);
  assert.deepEqual([state(0), state(1)], [State.ACKED, State.ACKED]);
  assert.equal(ring.counts().sent, 2);
});

test("leaving twice, as hidden and pagehide do, sends nothing twice", () => {
  const { put, exit, beacons } = setUp();
  put(0, { seq: 0, bytes: [1] });
  put(1, { seq: 1, bytes: [2], state: State.TAKEN });
  exit.leave(true);
  exit.leave(true);
  assert.equal(beacons.length, 2);
});

test("a segment that a sender holds is sent too, and stays the sender's", () => {
  const { put, exit, beacons, state } = setUp();
  put(3, { seq: 9, bytes: [7], state: State.TAKEN });
  exit.leave(true);
  assert.deepEqual(beacons.map((b) => b.bytes), [[7]]);
  assert.equal(state(3), State.TAKEN);
});

test("what is still held when the page was visible again is worth another try", () => {
  const { put, exit, beacons } = setUp();
  put(3, { seq: 9, bytes: [7], state: State.TAKEN });
  exit.leave(true);
  exit.stay();
  exit.leave(true);
  assert.equal(beacons.length, 2);
});

test("free, open and acked segments are nobody's business", () => {
  const { put, exit, beacons } = setUp();
  for (const [i, state] of [State.FREE, State.OPEN, State.ACKED].entries()) put(i, { seq: i, bytes: [i], state });
  exit.leave(true);
  assert.equal(beacons.length, 0);
});

test("a refused beacon goes by keepalive fetch, and its answer decides", async () => {
  const { put, exit, beacons, fetches, state, ring } = setUp({ accepts: 1 });
  put(0, { seq: 0, bytes: [1] });
  put(1, { seq: 1, bytes: [2] });
  exit.leave(true);
  assert.equal(state(0), State.TAKEN);
  await settled();
  assert.deepEqual([beacons.length, fetches.length, fetches[0].init.keepalive], [1, 1, true]);
  assert.equal(state(0), State.ACKED);
  assert.equal(ring.counts().sent, 2);
});

test("a beacon that nobody took goes back to the ring for the sender", async () => {
  const { put, exit, state, ring } = setUp({ accepts: 0, fetch: async () => { throw new TypeError("quota"); } });
  put(0, { seq: 0, bytes: [1] });
  exit.leave(true);
  await settled();
  assert.equal(state(0), State.SEALED);
  assert.equal(ring.counts().sent, 0);
});

test("the newest segment, which has the last vitals, goes first; then the oldest; then what senders hold", () => {
  const { put, exit, beacons } = setUp();
  put(0, { seq: 0, bytes: [0], state: State.TAKEN });
  for (const seq of [1, 2, 3]) put(seq, { seq, bytes: [seq] });
  exit.leave(true);
  assert.deepEqual(beacons.map((b) => b.bytes), [[3], [1], [2], [0]]);
});

test("the order holds when the ring has wrapped", () => {
  const { put, exit, beacons, words } = setUp();
  put(31, { seq: 31, bytes: [31] });
  put(0, { seq: 32, bytes: [32] });
  put(1, { seq: 33, bytes: [33] });
  words[abi.RingHeaderWord.SEALED] = 34;
  exit.leave(true);
  assert.deepEqual(beacons.map((b) => b.bytes), [[33], [31], [32]]);
});

test("what does not fit in flight stays sealed and is counted, until the page is back", () => {
  const { put, exit, beacons, state } = setUp();
  const bytes = new Uint8Array(16_000);
  for (let seq = 0; seq < 5; seq++) put(seq, { seq, bytes });
  assert.equal(exit.leave(true), 2);
  assert.equal(beacons.length, 3);
  assert.deepEqual([0, 1, 2, 3, 4].map(state), [State.ACKED, State.ACKED, State.SEALED, State.SEALED, State.ACKED]);
  assert.equal(exit.leave(true), 2);
  assert.equal(beacons.length, 3);
  exit.stay();
  assert.equal(exit.leave(true), 0);
  assert.equal(beacons.length, 5);
});

test("what is in flight already, of a page that sends by itself, leaves that much less room", () => {
  const { put, exit, host } = setUp();
  host.inFlight.take(59_999);
  put(0, { seq: 0, bytes: [1, 2] });
  assert.equal(exit.leave(true), 1);
});

test("at most nine requests", () => {
  const { put, exit, beacons } = setUp();
  for (let seq = 0; seq < 12; seq++) put(seq, { seq, bytes: [seq] });
  assert.equal(exit.leave(true), 3);
  assert.equal(beacons.length, 9);
});

test("offline, segments are kept where somebody keeps; what a sender holds is not kept twice", (t) => {
  const { navigator } = globalThis;
  Object.defineProperty(globalThis, "navigator", { value: { onLine: false }, configurable: true, writable: true });
  t.after(() => Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true, writable: true }));
  const { put, exit, host, beacons, state } = setUp();
  const kept = [];
  host.keep = async (body) => void kept.push([...body]);
  put(0, { seq: 0, bytes: [1] });
  put(1, { seq: 1, bytes: [2], state: State.TAKEN });
  exit.leave(true);
  assert.deepEqual([kept, beacons.map((b) => b.bytes), state(0), state(1)], [[[1]], [[2]], State.ACKED, State.TAKEN]);
});

test("bodies are packed before they are counted, so that more of them fit", () => {
  const { put, exit, beacons, host } = setUp();
  host.packNow = (body) => body.subarray(0, 10);
  for (let seq = 0; seq < 5; seq++) put(seq, { seq, bytes: new Uint8Array(16_000) });
  assert.equal(exit.leave(true), 0);
  assert.ok(beacons.every(({ bytes }) => bytes.length === 10));
});

test("a page that is only hidden asks, and learns what arrived", async () => {
  const { put, exit, beacons, fetches, state, ring } = setUp();
  put(0, { seq: 0, bytes: [1] });
  exit.leave(false);
  assert.equal(state(0), State.TAKEN);
  assert.ok(fetches[0].init.keepalive);
  await settled();
  assert.equal(state(0), State.ACKED);
  assert.deepEqual([beacons.length, fetches.length, ring.counts().sent], [0, 1, 1]);
});

test("what the collector refused while the page was hidden goes out again when it is left", async () => {
  const { put, exit, beacons, host, state } = setUp({ fetch: async () => ({ ok: false, status: 503 }) });
  put(0, { seq: 0, bytes: [1] });
  exit.leave(false);
  await settled();
  assert.equal(state(0), State.SEALED);
  exit.leave(true);
  assert.deepEqual(beacons.map((b) => b.bytes), [[1]]);
  assert.equal(state(0), State.ACKED);
  assert.ok(host.inFlight.take(59_999), "the failed one's room was given back");
});

test("left while the answer is still out, it is not sent a second time", () => {
  const { put, exit, beacons, fetches } = setUp({ fetch: () => new Promise(() => {}) });
  put(0, { seq: 0, bytes: [1] });
  exit.leave(false);
  exit.leave(true);
  assert.deepEqual([beacons.length, fetches.length], [0, 1]);
});
