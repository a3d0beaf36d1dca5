// The JS consumer against a ring that is laid out by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/bundle.mjs";
import { handLaidRing } from "./support/ring.mjs";

const abi = await load("abi");
const { Ring } = await load("ring");
const { RingState: State } = abi;

const lay = () => handLaidRing(abi, Ring);

test("nothing is taken from an empty ring", () => {
  assert.equal(lay().ring.take(), -1);
});

test("the oldest sealed segment is taken first, and only once", () => {
  const { ring, put, state } = lay();
  put(0, { seq: 7, bytes: [1] });
  put(1, { seq: 5, bytes: [2] });
  put(2, { seq: 6, bytes: [3], state: State.OPEN });
  assert.equal(ring.take(), 1);
  assert.equal(state(1), State.TAKEN);
  assert.equal(ring.take(), 0);
  assert.equal(ring.take(), -1);
});

test("a copy is private and exact, also at the end of data", () => {
  const { ring, put, data } = lay();
  const offset = abi.Ring.DATA_BYTES - 3;
  put(31, { seq: 1, bytes: [9, 8, 7], offset });
  assert.equal(ring.take(), 31);
  const copy = ring.copy(31);
  data[offset] = 0;
  assert.deepEqual([...copy], [9, 8, 7]);
  assert.ok(!(copy.buffer instanceof SharedArrayBuffer));
});

test("release acks and counts, given up is counted apart", () => {
  const { ring, put, state } = lay();
  put(0, { seq: 0, bytes: [1] });
  put(1, { seq: 1, bytes: [1] });
  ring.release(ring.take(), true);
  ring.release(ring.take(), false);
  assert.deepEqual([state(0), state(1)], [State.ACKED, State.ACKED]);
  assert.deepEqual(ring.counts(), { sent: 1, abandoned: 1, retries: 0 });
});

test("a segment that was put back is taken again and counts a retry", () => {
  const { ring, put, state } = lay();
  put(4, { seq: 0, bytes: [1] });
  ring.putBack(ring.take());
  assert.equal(state(4), State.SEALED);
  assert.equal(ring.take(), 4);
  assert.equal(ring.counts().retries, 1);
});

test("a lost compare-and-swap takes the next segment instead", () => {
  const { ring, put, words } = lay();
  put(0, { seq: 0, bytes: [1] });
  put(1, { seq: 1, bytes: [2] });
  const original = Atomics.compareExchange;
  let races = 0;
  // Between the scan and the swap another consumer takes the same segment.
  Atomics.compareExchange = (array, index, expected, value) => {
    if (races++ === 0) Atomics.store(words, abi.RingHeaderWord.WORDS, State.TAKEN);
    return original(array, index, expected, value);
  };
  try {
    assert.equal(ring.take(), 1);
  } finally {
    Atomics.compareExchange = original;
  }
  assert.equal(ring.take(), -1);
});

test("only the holder's release counts: an acked segment stays acked", () => {
  const { ring, put, state } = lay();
  put(0, { seq: 0, bytes: [1] });
  ring.release(ring.take(), true);
  ring.putBack(0);
  assert.equal(state(0), State.ACKED);
});

test("memory without a ring is refused", () => {
  assert.throws(() => new Ring(new SharedArrayBuffer(abi.Ring.BYTES), 0), /no ring/);
});

test("a sealed segment wakes the sleeper, an earlier seal does not let it sleep", async () => {
  const { ring, words } = lay();
  const woken = ring.sealedChanged(ring.sealed(), 5000, 5000);
  Atomics.add(words, abi.RingHeaderWord.SEALED, 1);
  ring.notify();
  await woken;
  await ring.sealedChanged(0, 5000, 5000);
});

test("stopped is seen", () => {
  const { ring, words } = lay();
  assert.equal(ring.isStopped, false);
  Atomics.store(words, abi.RingHeaderWord.STOPPED, 1);
  assert.equal(ring.isStopped, true);
});
