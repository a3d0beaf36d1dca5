// The exit path: everything that is not acked leaves once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/bundle.mjs";
import { handLaidRing } from "./support/ring.mjs";

const abi = await load("abi");
const { Ring, Exit } = await load("ring", "exit/exit");
const { RingState: State } = abi;

/** `accepts`: how many beacons the browser takes before it refuses. */
function setUp({ accepts = Infinity, fetch = async () => ({ ok: true }) } = {}) {
  const laid = handLaidRing(abi, Ring);
  const beacons = [];
  const fetches = [];
  const host = {
    sendBeacon: (url, body) => beacons.length < accepts && beacons.push({ url, bytes: [...body] }) > 0,
    fetch: (url, init) => { fetches.push({ url, init }); return fetch(url, init); },
  };
  return { ...laid, beacons, fetches, exit: new Exit(laid.ring, host, "http://c/v1/beacon") };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("each sealed segment is claimed and sent as its own body", () => {
  const { put, exit, beacons, state, ring } = setUp();
  put(0, { seq: 0, bytes: [1, 1] });
  put(1, { seq: 1, bytes: [2] });
  exit.leave();
  assert.deepEqual(beacons.map((b) => b.bytes), [[1, 1], [2]]);
  assert.deepEqual([state(0), state(1)], [State.ACKED, State.ACKED]);
  assert.equal(ring.counts().sent, 2);
});

test("leaving twice, as hidden and pagehide do, sends nothing twice", () => {
  const { put, exit, beacons } = setUp();
  put(0, { seq: 0, bytes: [1] });
  put(1, { seq: 1, bytes: [2], state: State.TAKEN });
  exit.leave();
  exit.leave();
  assert.equal(beacons.length, 2);
});

test("a segment that a sender holds is sent too, and stays the sender's", () => {
  const { put, exit, beacons, state } = setUp();
  put(3, { seq: 9, bytes: [7], state: State.TAKEN });
  exit.leave();
  assert.deepEqual(beacons.map((b) => b.bytes), [[7]]);
  assert.equal(state(3), State.TAKEN);
});

test("what is still held when the page was visible again is worth another try", () => {
  const { put, exit, beacons } = setUp();
  put(3, { seq: 9, bytes: [7], state: State.TAKEN });
  exit.leave();
  exit.stay();
  exit.leave();
  assert.equal(beacons.length, 2);
});

test("free, open and acked segments are nobody's business", () => {
  const { put, exit, beacons } = setUp();
  for (const [i, state] of [State.FREE, State.OPEN, State.ACKED].entries()) put(i, { seq: i, bytes: [i], state });
  exit.leave();
  assert.equal(beacons.length, 0);
});

test("a refused beacon goes by keepalive fetch, and its answer decides", async () => {
  const { put, exit, beacons, fetches, state, ring } = setUp({ accepts: 1 });
  put(0, { seq: 0, bytes: [1] });
  put(1, { seq: 1, bytes: [2] });
  exit.leave();
  assert.equal(state(1), State.TAKEN);
  await settled();
  assert.deepEqual([beacons.length, fetches.length, fetches[0].init.keepalive], [1, 1, true]);
  assert.equal(state(1), State.ACKED);
  assert.equal(ring.counts().sent, 2);
});

test("a beacon that nobody took goes back to the ring for the sender", async () => {
  const { put, exit, state, ring } = setUp({ accepts: 0, fetch: async () => { throw new TypeError("quota"); } });
  put(0, { seq: 0, bytes: [1] });
  exit.leave();
  await settled();
  assert.equal(state(0), State.SEALED);
  assert.equal(ring.counts().sent, 0);
});
