// HTTP/2 for the tests of the collector's border: by Node's own client, and frames as they are on a socket.
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

const ANSWER_MS_MAX = 20_000;

// As Client of daemon.mjs: takes a request as HTTP/1.1 writes it, and sends it as a stream of one kept connection.
export class StreamClient {
  constructor(port) { this.port = port; }

  async ask(bytes) {
    const split = bytes.indexOf("\r\n\r\n");
    const [first, ...lines] = bytes.slice(0, split).split("\r\n");
    const [method, path] = first.split(" ");
    const headers = { ":method": method, ":path": path };
    for (const line of lines) {
      const name = line.slice(0, line.indexOf(":")).toLowerCase(), value = line.slice(line.indexOf(":") + 1).trim();
      headers[name === "host" ? ":authority" : name] = value;
    }
    if (!this.session || this.session.closed || this.session.destroyed) this.open();
    const stream = this.session.request(headers, { endStream: bytes.length === split + 4 });
    if (bytes.length > split + 4) stream.end(Buffer.from(bytes.slice(split + 4), "latin1"));
    return this.read(stream);
  }

  async read(stream) {
    const answer = { status: 0, headers: new Map(), body: "" };
    stream.setEncoding("latin1");
    stream.on("response", (headers) => {
      answer.status = headers[":status"];
      answer.headers = new Map(Object.entries(headers).filter(([name]) => !name.startsWith(":")));
    });
    stream.on("data", (more) => (answer.body += more));
    stream.on("error", (error) => (answer.body ||= String(error)));
    await Promise.race([once(stream, "close").catch(() => {}), pause(ANSWER_MS_MAX, undefined, { ref: false })]);
    return answer;
  }

  open() {
    this.session = connectHttp2(`http://127.0.0.1:${this.port}`);
    this.session.on("error", () => {});
  }

  close() {
    this.session?.close();
    this.session = undefined;
  }
}

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
export const END_STREAM = 1, END_HEADERS = 4;
export const TYPES = ["DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY", "WINDOW_UPDATE", "CONTINUATION"];

export function frame(type, flags, id, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = TYPES.indexOf(type);
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, payload]);
}

// A header block, spelled out: no table, no Huffman code (RFC 7541, 6.2.2).
const size = (n) => (n < 127 ? [n] : n < 255 ? [127, n - 127] : [127, ((n - 127) & 127) | 128, (n - 127) >> 7]);
const text = (value) => { const bytes = Buffer.from(value, "latin1"); return Buffer.concat([Buffer.from(size(bytes.length)), bytes]); };
export const block = (fields) => Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));

// The first field of an answer's block: an entry of the static table, or the entry's name and a value of digits.
const statuses = new Map([[0x88, 200], [0x89, 204], [0x8a, 206], [0x8b, 304], [0x8c, 400], [0x8d, 404], [0x8e, 500]]);
function statusIn(payload) {
  let at = 0;
  while ((payload[at] & 0xe0) === 0x20) at++; // a new size of the table
  if (statuses.has(payload[at])) return statuses.get(payload[at]);
  const length = payload[at + 1] & 127, coded = payload[at + 1] >= 128;
  const value = payload.subarray(at + 2, at + 2 + length);
  return Number(coded ? digitsIn(value) : value.toString());
}
// Digits in the Huffman code: 0 to 2 have five bits, the others six.
function digitsIn(bytes) {
  let bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join(""), digits = "";
  while (digits.length < 3 && bits.length >= 5) {
    const small = parseInt(bits.slice(0, 5), 2);
    digits += small < 3 ? small : parseInt(bits.slice(0, 6), 2) - 0x19 + 3;
    bits = bits.slice(small < 3 ? 5 : 6);
  }
  return digits;
}

// One connection, spoken to in frames. `ended`: stream or connection by number; 0 is the connection.
export class FrameClient {
  static async open(port) {
    const self = Object.assign(new FrameClient(), { answers: new Map(), resets: new Map(), goaway: undefined, closed: false, rest: Buffer.alloc(0) });
    self.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    self.socket.on("data", (bytes) => self.read(bytes));
    for (const name of ["end", "error", "close"]) self.socket.on(name, () => { self.closed = true; self.changed?.(); });
    self.send(PREFACE, frame("SETTINGS", 0, 0));
    return self;
  }

  send(...frames) { if (!this.closed) this.socket.write(Buffer.concat(frames)); }

  read(bytes) {
    this.rest = Buffer.concat([this.rest, bytes]);
    while (this.rest.length >= 9 && this.rest.length >= 9 + this.rest.readUIntBE(0, 3)) {
      const end = 9 + this.rest.readUIntBE(0, 3), type = TYPES[this.rest[3]], id = this.rest.readUInt32BE(5), payload = this.rest.subarray(9, end);
      if (type === "HEADERS" && !this.answers.has(id)) this.answers.set(id, statusIn(payload));
      if (type === "RST_STREAM") this.resets.set(id, payload.readUInt32BE(0));
      if (type === "GOAWAY") this.goaway = payload.readUInt32BE(4);
      if (type === "SETTINGS" && this.rest[4] === 0) this.send(frame("SETTINGS", 1, 0));
      this.rest = this.rest.subarray(end);
    }
    this.changed?.();
  }

  // Until `isDone()`, the end of the connection, or too long.
  async wait(isDone) {
    const end = performance.now() + ANSWER_MS_MAX;
    while (!isDone() && !this.closed && performance.now() < end)
      await Promise.race([new Promise((resolve) => (this.changed = resolve)), pause(100)]);
  }

  close() { this.socket.destroy(); }
}
