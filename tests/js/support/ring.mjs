/** A ring in a SharedArrayBuffer, written by the layout alone. `Ring` is the consumer under test. */
export function handLaidRing(abi, Ring) {
  const address = 128;
  const buffer = new SharedArrayBuffer(address + abi.Ring.BYTES);
  const words = new Int32Array(buffer, address, abi.Ring.DATA_OFFSET / 4);
  words[abi.RingHeaderWord.MAGIC] = abi.Ring.MAGIC | 0;
  words[abi.RingHeaderWord.SEGMENTS] = abi.Ring.SEGMENTS;
  words[abi.RingHeaderWord.DATA_BYTES] = abi.Ring.DATA_BYTES;
  words[abi.RingHeaderWord.DATA_OFFSET] = abi.Ring.DATA_OFFSET;
  const data = new Uint8Array(buffer, address + abi.Ring.DATA_OFFSET, abi.Ring.DATA_BYTES);
  const at = (segment) => abi.RingHeaderWord.WORDS + segment * abi.RingSegmentWord.WORDS;
  let next = 0;
  return {
    ring: new Ring(buffer, address),
    words,
    data,
    state: (segment) => words[at(segment) + abi.RingSegmentWord.STATE],
    put(segment, { seq, bytes, offset = next, state = abi.RingState.SEALED }) {
      data.set(bytes, offset);
      words[at(segment) + abi.RingSegmentWord.OFFSET] = offset;
      words[at(segment) + abi.RingSegmentWord.SIZE] = bytes.length;
      words[at(segment) + abi.RingSegmentWord.SEQ] = seq;
      words[at(segment) + abi.RingSegmentWord.STATE] = state;
      words[abi.RingHeaderWord.SEALED]++;
      next = offset + bytes.length;
    },
  };
}
