// Prints a minimal valid beacon for the app named on the command line, built from WIRE.md by hand.
const app = process.argv[2] ?? "shop";
const varint = (n) => { const out = []; do { out.push((n & 127) | (n > 127 ? 128 : 0)); n = Math.floor(n / 128); } while (n > 0); return out; };
const bytes = (field, body) => [...varint((field << 3) | 2), ...varint(body.length), ...body];
const number = (field, value) => [...varint(field << 3), ...varint(value)];
const text = (value) => [...Buffer.from(value)];
const header = [...number(1, 1), ...bytes(2, text(app)), ...bytes(3, Array(16).fill(7)), ...bytes(4, Array(16).fill(9)),
  ...number(5, 0), ...number(6, Date.now() * 1000), ...bytes(10, text("sample"))];
const paint = [...number(1, 1), ...number(2, 123456)];
const ledger = [...number(1, 1), ...number(2, 1), ...number(6, 1)];
process.stdout.write(Buffer.from([...bytes(1, header), ...bytes(2, text("first-paint")), ...bytes(9, paint), ...bytes(15, ledger)]));
