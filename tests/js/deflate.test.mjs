// The page's own coder, held against zlib. Needs the preset wasm.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inflateSync } from "node:zlib";
import { load, top } from "./support/bundle.mjs";

const wasm = process.env.VITRACE_WASM ?? join(top, "build/wasm/vitrace.wasm");
assert.ok(existsSync(wasm), `${wasm} is missing: build the CMake preset "wasm" first`);
const { instantiateCore } = await load("bridge/memory");
const core = await instantiateCore(readFileSync(wasm));
const BEACON_BYTES_MAX = 16_384;

function expectSame(bytes, what) {
  const packed = core.pack(bytes);
  if (packed === bytes) return 0;
  assert.ok(packed.length < bytes.length);
  assert.deepEqual(new Uint8Array(inflateSync(packed)), bytes, what);
  return packed.length;
}

/** A number from 0 to 1, the same in every run. */
let seed = 1;
const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;

test("recorded beacons come back whole, in about half of their bytes", () => {
  const stream = readFileSync(join(top, "tests/golden/replay/session.beacons"));
  let plain = 0;
  let packed = 0;
  for (let at = 0; at < stream.length; ) {
    const size = stream.readUInt32LE(at);
    const beacon = new Uint8Array(stream.subarray(at + 4, at + 4 + size));
    plain += size;
    packed += expectSame(beacon, "at " + at) || size;
    at += 4 + size;
  }
  assert.ok(packed < plain * 0.8, `${packed} of ${plain}`);
});

test("every length of one byte, up to the largest beacon", () => {
  for (let size = 0; size < 700; size++) expectSame(new Uint8Array(size).fill(7), "size " + size);
  for (const size of [5552, 5553, BEACON_BYTES_MAX - 1, BEACON_BYTES_MAX]) assert.ok(expectSame(new Uint8Array(size).fill(255), "size " + size) < size / 50);
});

test("every distance at which four bytes can come again", () => {
  const word = [250, 251, 252, 253];
  for (let distance = 4; distance <= BEACON_BYTES_MAX - 4; distance = Math.ceil(distance * 1.07)) {
    const bytes = new Uint8Array(distance + 4);
    bytes.set(word, 0);
    bytes.set(word, distance);
    expectSame(bytes, "distance " + distance);
  }
});

test("a thousand bodies of random runs, copies and noise", () => {
  for (let n = 0; n < 1000; n++) {
    const bytes = new Uint8Array(Math.floor(random() ** 2 * BEACON_BYTES_MAX));
    for (let at = 0; at < bytes.length; ) {
      const length = Math.min(1 + Math.floor(random() ** 3 * 400), bytes.length - at);
      const kind = random();
      if (kind < 0.4 && at) for (let i = 0, from = Math.floor(random() * at); i < length; i++) bytes[at + i] = bytes[from + i];
      else for (let i = 0, byte = random() * 256; i < length; i++) bytes[at + i] = kind < 0.7 ? byte : random() * 256;
      at += length;
    }
    expectSame(bytes, "body " + n);
  }
});

test("noise is sent as it is", () => {
  assert.equal(expectSame(Uint8Array.from({ length: 4000 }, () => random() * 256), "noise"), 0);
});
