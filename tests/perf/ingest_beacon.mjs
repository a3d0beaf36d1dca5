// Prints a valid beacon of a page load with twelve resources, about 800 bytes, built from WIRE.md by hand. Its seq is the
// largest number, five bytes that occur nowhere else, so that a load generator can put a fresh one in their place.
import { randomBytes } from "node:crypto";

const varint = (n) => { const out = []; do { out.push((n & 127) | (n > 127 ? 128 : 0)); n = Math.floor(n / 128); } while (n > 0); return out; };
const bytes = (field, body) => [...varint(field * 8 + 2), ...varint(body.length), ...body];
const number = (field, value) => [...varint(field * 8), ...varint(value)];
const zigzag = (field, value) => number(field, value * 2);
const text = (value) => [...Buffer.from(value)];
const id = () => [...randomBytes(16)].map((b) => b & 0x7f);

const header = [...number(1, 1), ...bytes(2, text(process.argv[2] ?? "shop")), ...bytes(3, id()), ...bytes(4, id()),
  ...varint(5 * 8), 0xff, 0xff, 0xff, 0xff, 0x0f, ...number(6, 1700000000000000), ...bytes(10, text("perf"))];
const beacon = bytes(1, header);
for (let i = 0; i < 12; i++) {
  const start = 100000 + 7000 * i;
  beacon.push(...bytes(2, text(`https://shop.example/assets/part-${i}.js`)));
  beacon.push(...bytes(3, [...number(1, i + 1), ...number(2, start), ...zigzag(3, 900), ...zigzag(4, 4000), ...zigzag(5, 800),
    ...number(6, 10300 + i), ...number(7, 10000 + i), ...number(9, 3), ...number(10, 3), ...number(11, 200)]));
}
beacon.push(...bytes(15, [...number(1, 12), ...number(2, 12)]));
process.stdout.write(Buffer.from(beacon));
