// Drives the page's module with a recorded stream, as the bridge and the worker do, and prints what `vitrace-core` prints.
// Arguments: the .wasm file, and abi.ts, whose numbers are read from its text so that they are put to the test as well.
import { readFileSync, writeSync } from "node:fs";

const [wasmFile, abiFile] = process.argv.slice(2);

function readAbi(text) {
  const enums = {};
  for (const [, name, body] of text.matchAll(/export const enum (\w+) \{\n([^}]*)\}/g))
    enums[name] = Object.fromEntries([...body.matchAll(/(\w+) = (-?\d+|"\w")/g)].map(([, key, value]) => [key, JSON.parse(value)]));
  return enums;
}

const abi = readAbi(readFileSync(abiFile, "utf8"));
const { CoreExport, Ring, RingState, RingHeaderWord, RingSegmentWord } = abi;
const memory = new WebAssembly.Memory({ initial: abi.Memory.PAGES, maximum: abi.Memory.PAGES, shared: true });
const core = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(wasmFile)), { env: { memory } }).exports;
core._initialize?.();
if (core[CoreExport.ABI_VERSION]() !== abi.Inbox.ABI_VERSION) throw new Error("ABI version");
core[CoreExport.START]();

const bytes = new Uint8Array(memory.buffer);
const ring = new Int32Array(memory.buffer, core[CoreExport.RING](), Ring.BYTES / 4);
if (ring[RingHeaderWord.MAGIC] !== (Ring.MAGIC | 0)) throw new Error("ring magic");

// The worker's take: oldest first, ownership by compare-and-swap.
function drain() {
  const sealed = Atomics.load(ring, RingHeaderWord.SEALED) >>> 0;
  for (let i = 0; i < Ring.SEGMENTS; i++) {
    const at = RingHeaderWord.WORDS + ((sealed + i) % Ring.SEGMENTS) * RingSegmentWord.WORDS;
    const state = at + RingSegmentWord.STATE;
    if (Atomics.compareExchange(ring, state, RingState.SEALED, RingState.TAKEN) !== RingState.SEALED) continue;
    const start = core[CoreExport.RING]() + Ring.DATA_OFFSET + ring[at + RingSegmentWord.OFFSET];
    const beacon = bytes.slice(start, start + ring[at + RingSegmentWord.SIZE]);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(beacon.length);
    writeSync(1, Buffer.concat([length, beacon]));
    Atomics.add(ring, RingHeaderWord.SENT, 1);
    Atomics.store(ring, state, RingState.ACKED);
  }
}

const stream = readFileSync(0);
for (let at = 0; at < stream.length; ) {
  const [mono, wall] = [stream.readDoubleLE(at), stream.readDoubleLE(at + 8)];
  const [words, stringBytes, op] = [16, 20, 24].map((offset) => stream.readUInt32LE(at + offset));
  at += 32;
  bytes.set(stream.subarray(at, at + words * 8), core[CoreExport.WORDS]());
  bytes.set(stream.subarray(at + words * 8, at + words * 8 + stringBytes), core[CoreExport.STRINGS]());
  at += words * 8 + stringBytes;
  if (op === 0) core[CoreExport.TAKE](mono, wall, words, stringBytes);
  else core[CoreExport.SEAL](mono, wall, op === 2 ? 1 : 0);
  drain();
}
