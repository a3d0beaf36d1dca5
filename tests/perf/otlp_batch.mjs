// Writes COUNT export requests of 100 spans (20 traces of five, eight attributes a span) to DIR/N and, compressed, to
// DIR/N.gz: what an HTTP service exports, built from the published field numbers by hand.
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const [dir, count] = process.argv.slice(2);
const varint = (n) => { const out = []; do { out.push((n & 127) | (n > 127 ? 128 : 0)); n = Math.floor(n / 128); } while (n > 0); return Buffer.from(out); };
const bytes = (field, body) => Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
const text = (field, value) => bytes(field, Buffer.from(value));
const number = (field, value) => Buffer.concat([varint(field * 8), varint(value)]);
const fixed64 = (field, value) => { const out = Buffer.alloc(8); out.writeBigUInt64LE(value); return Buffer.concat([varint(field * 8 + 1), out]); };
const fixed32 = (field, value) => { const out = Buffer.alloc(4); out.writeUInt32LE(value); return Buffer.concat([varint(field * 8 + 5), out]); };
const attribute = (field, key, value) =>
  bytes(field, Buffer.concat([text(1, key), bytes(2, typeof value === "number" ? number(3, value) : text(1, value))]));

function span(trace, parent, n, now) {
  const id = randomBytes(8), start = now + BigInt(n) * 1000000n;
  const body = Buffer.concat([bytes(1, trace), bytes(2, id), ...(parent ? [bytes(4, parent)] : []), text(5, "GET /cart/:id"),
    number(6, parent ? 3 : 2), fixed64(7, start), fixed64(8, start + 5000000n), attribute(9, "http.request.method", "GET"),
    attribute(9, "http.route", "/cart/:id"), attribute(9, "url.path", `/cart/${n}`), attribute(9, "http.response.status_code", 200),
    attribute(9, "server.address", "shop.example.test"), attribute(9, "client.address", "192.0.2.17"),
    attribute(9, "user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
    attribute(9, "network.protocol.version", "1.1"), text(15, ""), fixed32(16, 0x301)]);
  return { id, body };
}

function batch(now) {
  const spans = [];
  for (let t = 0; t < 20; t++) {
    const trace = randomBytes(16), root = span(trace, null, t, now);
    spans.push(root.body);
    for (let n = 1; n < 5; n++) spans.push(span(trace, root.id, t, now).body);
  }
  const scope = Buffer.concat(spans.map((body) => bytes(2, body)));
  return bytes(1, Buffer.concat([bytes(1, attribute(1, "service.name", "shop-api")), bytes(2, scope)]));
}

const now = BigInt(Date.now()) * 1000000n;
for (let i = 0; i < Number(count); i++) {
  const request = batch(now);
  writeFileSync(`${dir}/${i}`, request);
  writeFileSync(`${dir}/${i}.gz`, gzipSync(request));
}
