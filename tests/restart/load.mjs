// Clients of every habit that a collector meets, each with one request under way at a time and none sent twice. What has no
// answer of its own is a failure, whatever the reason: a refused connection, a reset, an end, another status, 15 s of silence.
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import http2 from "node:http2";

const TIMEOUT_MS = 15000;
const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));

// Lets `rate` requests a second begin; all of them while it is 0. What a pause has withheld is not made up for.
class Pace {
  rate = 0;
  #waiting = [];
  #due = 0;
  #timer = setInterval(() => this.#tick(), 2);
  #at = performance.now();
  #tick() {
    const now = performance.now();
    this.#due = Math.min(this.#due + (now - this.#at) * this.rate / 1000, 1 + this.rate / 50);
    this.#at = now;
    while (this.#waiting.length > 0 && (this.rate === 0 || this.#due >= 1)) { this.#due--; this.#waiting.shift()(); }
  }
  turn() { return this.rate === 0 ? Promise.resolve() : new Promise((go) => this.#waiting.push(go)); }
  end() { this.rate = 0; this.#tick(); clearInterval(this.#timer); }
}

// One HTTP/1.1 connection, byte by byte: what an agent would repair in silence must be seen.
class Connection {
  #socket; #under; #received = ""; closed = false; error = "";
  constructor(port, secure) {
    const where = { host: "127.0.0.1", port, noDelay: true };
    this.#socket = secure ? connectTls({ ...where, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] }) : connect(where);
    this.#socket.setEncoding("latin1");
    this.#socket.on("error", (error) => { this.error = error.code ?? String(error); });
    this.#socket.on("end", () => { this.closed = true; }); // before 'close': no request may start on it any more
    this.#socket.on("close", () => { this.closed = true; this.#finish({ failure: this.error || "ended without an answer" }); });
    this.#socket.on("data", (chunk) => this.#take(chunk));
    this.gone = new Promise((gone) => this.#socket.on("close", gone));
  }
  #finish(result) {
    if (this.#under === undefined) return;
    clearTimeout(this.#under.timer);
    this.#under.done(result);
    this.#under = undefined;
  }
  #take(chunk) {
    this.#received += chunk;
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = this.#received.slice(0, end);
    const size = end + 4 + Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
    if (this.#received.length < size) return;
    this.#received = this.#received.slice(size);
    if (/^connection: close/im.test(head)) { this.closed = true; this.#socket.end(); }
    this.#finish({ status: Number(head.slice(9, 12)) });
  }
  exchange(bytes) {
    return new Promise((done) => {
      this.#under = { done, timer: setTimeout(() => this.#finish({ failure: "no answer in 15 s" }), TIMEOUT_MS) };
      this.#socket.write(bytes);
    });
  }
  end() { this.closed = true; this.#socket.destroy(); }
}

const paths = { beacon: ["/v1/beacon", "text/plain", 204], spans: ["/v1/traces", "application/x-protobuf", 200] };
const REFUSED = http2.constants.NGHTTP2_REFUSED_STREAM;
const EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

export class Load {
  pace = new Pace();
  counts = { requests: 0, failed: 0, connections: 0 };
  failures = new Map(); // reason -> how often
  slowestMs = {}; // by kind of client
  over = false;
  #running = [];

  constructor({ ports, ledger, secure }) { this.ports = ports; this.ledger = ledger; this.secure = secure; }

  #fail(kind, failure) {
    this.counts.failed++;
    this.failures.set(`${kind}: ${failure}`, (this.failures.get(`${kind}: ${failure}`) ?? 0) + 1);
  }

  #note(kind, message, began, failure) {
    this.counts.requests++;
    this.slowestMs[kind] = Math.max(this.slowestMs[kind] ?? 0, Math.round(performance.now() - began));
    if (failure === undefined) this.ledger.ack(message);
    else this.#fail(kind, failure);
  }

  // `pause`: ms between two requests; without it the pace decides.
  async #http(what, { keep, pause }) {
    const kind = `HTTP/1.1 ${what}${keep ? "" : ", close"}${pause === undefined ? "" : ", seldom"}`;
    const [path, type, wanted] = paths[what], port = this.ports[what === "beacon" ? "listen" : "otlp_http"];
    let connection;
    while (!this.over) {
      await (pause === undefined ? this.pace.turn() : sleep(pause()));
      if (this.over) break;
      if (connection === undefined || connection.closed) { connection = new Connection(port, this.secure); this.counts.connections++; }
      const message = this.ledger.take(what), began = performance.now();
      const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://shop.example\r\nContent-Type: ${type}\r\nContent-Length: ${message.body.length}\r\n` +
        `${keep ? "" : "Connection: close\r\n"}\r\n`;
      const { status, failure } = await connection.exchange(Buffer.concat([Buffer.from(head), message.body]));
      this.#note(kind, message, began, status === wanted ? undefined : failure ?? status);
      if (failure !== undefined) connection.end();
    }
    connection?.end();
  }

  // `wanted`: of the answer's header or trailer `field`.
  #call(session, headers, body, field, wanted) {
    return new Promise((done) => {
      const stream = session.request({ ":method": "POST", ...headers });
      const timer = setTimeout(() => done("no answer in 15 s"), TIMEOUT_MS);
      const finish = (result) => { clearTimeout(timer); done(result); };
      let answer;
      stream.on("response", (got) => { answer = got[field]; });
      stream.on("trailers", (got) => { answer = got[field] ?? answer; });
      stream.on("error", () => finish(stream.rstCode === REFUSED ? REFUSED : `stream error ${stream.rstCode}`));
      stream.on("close", () => finish(String(answer) === wanted ? undefined : `${field} ${answer}`));
      stream.resume();
      stream.end(body);
    });
  }

  // Once GOAWAY is heard, requests go to another connection, and those under way are waited for. One that the library had not
  // sent yet, or that the server says it has not looked at, begins anew there: that is what GOAWAY is for.
  async #http2(kind, what, port, { pause }, request) {
    let session, refused;
    while (!this.over) {
      await (pause === undefined ? this.pace.turn() : sleep(pause()));
      if (this.over) break;
      if (session === undefined || session.closed || session.destroyed) {
        session = http2.connect(`${this.secure ? "https" : "http"}://127.0.0.1:${port}`, { rejectUnauthorized: false });
        session.on("error", () => {}); // the requests tell
        this.counts.connections++;
      }
      refused ??= this.ledger.take(what);
      const message = refused, began = performance.now(), failure = await request(session, message.body);
      if (failure === REFUSED) continue;
      refused = undefined;
      this.#note(kind, message, began, failure);
    }
    session?.destroy();
  }

  #grpc(habit) {
    const headers = { ":path": EXPORT, "content-type": "application/grpc", te: "trailers" };
    return this.#http2("gRPC", "spans", this.ports.otlp_grpc, habit, (session, body) => {
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(body.length, 1);
      return this.#call(session, headers, Buffer.concat([prefix, body]), "grpc-status", "0");
    });
  }

  #page(habit) {
    const headers = { ":path": "/v1/beacon", "content-type": "text/plain", origin: "https://shop.example" };
    return this.#http2("HTTP/2 beacon", "beacon", this.ports.listen, habit, (session, body) => this.#call(session, headers, body, ":status", "204"));
  }

  // A browser's spare connection: opened ahead, never used. It may be ended, but not reset.
  async #spare() {
    while (!this.over) {
      const connection = new Connection(this.ports.listen, this.secure);
      await Promise.race([connection.gone, sleep(3000)]);
      if (connection.error !== "") this.#fail("spare connection", connection.error);
      connection.end();
      await sleep(Math.random() * 2000);
    }
  }

  start() {
    const seldom = () => 100 + Math.random() * 700;
    const begin = (count, client) => { for (let i = 0; i < count; i++) this.#running.push(client()); };
    begin(16, () => this.#http("beacon", { keep: true }));
    begin(6, () => this.#http("beacon", { keep: false }));
    begin(4, () => this.#http("spans", { keep: true }));
    begin(4, () => this.#grpc({}));
    begin(4, () => this.#page({}));
    begin(12, () => this.#http("beacon", { keep: true, pause: seldom }));
    begin(3, () => this.#http("spans", { keep: true, pause: seldom }));
    begin(2, () => this.#grpc({ pause: seldom }));
    begin(3, () => this.#page({ pause: seldom }));
    begin(2, () => this.#spare());
  }

  async end() {
    this.over = true;
    this.pace.end();
    await Promise.all(this.#running);
  }
}
