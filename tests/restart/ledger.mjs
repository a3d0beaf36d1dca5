// What was sent and what was promised for it, and the audit of a log against that. A message is made from its number alone,
// so the ledger is a byte a message, and the audit knows each byte that must be on disk.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const varint = (n) => { const out = []; do { out.push((n & 127) | (n > 127 ? 128 : 0)); n = Math.floor(n / 128); } while (n > 0); return out; };
const bytes = (field, body) => Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(body.length)]), body]);
const number = (field, value) => Buffer.from([...varint(field << 3), ...varint(value)]);
const fixed64 = (field, value) => { const out = Buffer.alloc(9); out[0] = (field << 3) | 1; out.writeBigUInt64LE(value, 1); return out; };
const text = (field, value) => bytes(field, Buffer.from(value));

// n is in the view's id (n / 16) and the sequence number (n % 16).
function beacon(n) {
  const view = Buffer.alloc(16, 7);
  view.writeUInt32BE(Math.floor(n / 16) + 1, 0);
  const header = Buffer.concat([number(1, 1), text(2, "shop"), bytes(3, view), bytes(4, Buffer.alloc(16, 9)), number(5, n % 16),
    number(6, 1764000000000000), text(10, "restart")]);
  const body = text(2, `${n}:`.padEnd(8 + (n * 7919) % 400, String.fromCharCode(97 + n % 26)));
  return Buffer.concat([bytes(1, header), body, bytes(15, Buffer.concat([number(1, 1), number(2, 1), number(6, 1)]))]);
}

// n is in the span's id; one span a request.
function spans(n) {
  const trace = Buffer.alloc(16, 5), span = Buffer.alloc(8, 3);
  trace.writeUInt32BE(n + 1, 0);
  span.writeUInt32BE(n + 1, 0);
  const row = Buffer.concat([bytes(1, trace), bytes(2, span), text(5, `GET /${n}`), number(6, 2), fixed64(7, 1764000000000000000n),
    fixed64(8, 1764000000012000000n)]);
  const resource = bytes(1, Buffer.concat([text(1, "service.name"), bytes(2, text(1, "shop-api"))]));
  return bytes(1, Buffer.concat([bytes(1, resource), bytes(2, bytes(2, row))]));
}

const makers = { beacon, spans };
const numberOf = {
  beacon: (record) => (parseInt(record.view_id.slice(0, 8), 16) - 1) * 16 + record.seq,
  spans: (record) => parseInt(/0a10([0-9a-f]{8})(?:05){12}1208/.exec(record.payload)?.[1] ?? "0", 16) - 1,
};

export class Ledger {
  state = { beacon: new Uint8Array(1 << 16), spans: new Uint8Array(1 << 16) }; // 1 = sent, 2 = acked
  next = { beacon: 0, spans: 0 };
  acked = { beacon: 0, spans: 0 };

  take(what) {
    const n = this.next[what]++;
    if (n >= this.state[what].length) {
      const larger = new Uint8Array(2 * n);
      larger.set(this.state[what]);
      this.state[what] = larger;
    }
    this.state[what][n] = 1;
    return { what, n, body: makers[what](n) };
  }

  ack({ what, n }) {
    this.state[what][n] = 2;
    this.acked[what]++;
  }

  // What is wrong, as sentences.
  async audit(binary, folder) {
    const dump = spawn(binary, ["log", "dump", "--payload", folder], { stdio: ["ignore", "pipe", "inherit"] });
    const gone = once(dump, "exit");
    const seen = { beacon: new Uint8Array(this.next.beacon), spans: new Uint8Array(this.next.spans) }, problems = [];
    let stored = 0;
    for await (const line of createInterface({ input: dump.stdout })) {
      const record = JSON.parse(line), what = record.type, n = numberOf[what]?.(record) ?? -1;
      stored++;
      if (!(n >= 0 && n < this.next[what])) problems.push(`nobody sent this: ${line.slice(0, 200)}`);
      else if (makers[what](n).toString("hex") !== record.payload) problems.push(`${what} ${n} at ${record.position} has other bytes`);
      else if (seen[what][n]++ > 0) problems.push(`${what} ${n} is stored twice, the second time at ${record.position}`);
    }
    const [status] = await gone;
    if (status !== 0) problems.push(`log dump ended with ${status}`);
    for (const what of ["beacon", "spans"])
      for (let n = 0; n < this.next[what]; n++)
        if (this.state[what][n] === 2 && !seen[what][n]) problems.push(`ACKED AND LOST: ${what} ${n}`);
    return { problems, stored };
  }
}
