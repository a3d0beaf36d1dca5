// A minimal valid beacon, built from WIRE.md by hand. On the command line: prints one for the app that is named.
import { pathToFileURL } from "node:url";

const varint = (n) => { const out = []; do { out.push((n & 127) | (n > 127 ? 128 : 0)); n = Math.floor(n / 128); } while (n > 0); return out; };
const bytes = (field, body) => [...varint((field << 3) | 2), ...varint(body.length), ...body];
const number = (field, value) => [...varint(field << 3), ...varint(value)];
const text = (value) => [...Buffer.from(value)];

export function beaconFor(app, { view = Array(16).fill(7), route = "" } = {}) {
  const page = route === "" ? [] : bytes(13, bytes(2, text(route)));
  const header = [...number(1, 1), ...bytes(2, text(app)), ...bytes(3, view), ...bytes(4, Array(16).fill(9)),
    ...number(5, 0), ...number(6, Date.now() * 1000), ...bytes(10, text("sample")), ...page];
  const paint = [...number(1, 1), ...number(2, 123456)];
  const ledger = [...number(1, 1), ...number(2, 1), ...number(6, 1)];
  return Buffer.from([...bytes(1, header), ...bytes(2, text("first-paint")), ...bytes(9, paint), ...bytes(15, ledger)]);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) process.stdout.write(beaconFor(process.argv[2] ?? "shop"));
