// A bad road to the collector: passes on what pages ask for, and lets one beacon request in five fail, in each of the ways in
// which they do. It writes down what became of every beacon, which is what the collector's own statement is held to.
import http from "node:http";
import { unzipSync } from "node:zlib";
import { beaconId } from "../../demo-site/check/protobuf.mjs";

const FAILURES_IN = 5;
const SLOW_IN = 12;
const SLOW_MS = 1200;
const BODY_BYTES_MAX = 1 << 20;
const SNAPSHOT = 0xffffffff;
/** The first bytes of what was packed: by the page zlib, by the worker gzip. */
const PACKED = [0x78, 0x1f];

export class Front {
  // `random`: seeded. `isBad`: whether anything fails at all.
  constructor(collector, random) {
    Object.assign(this, { collector, random, isBad: true, unread: 0 });
    /** view id -> seq -> { tried, stored }: how often it came here, and how often the collector took it. */
    this.beacons = new Map();
    this.requests = { all: 0, refused: 0, cut: 0, unanswered: 0, slow: 0 };
  }

  async start() {
    this.server = http.createServer((request, response) => this.#serve(request, response)).listen(0, "127.0.0.1");
    await new Promise((resolve) => this.server.once("listening", resolve));
    this.base = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  async #serve(request, response) {
    const chunks = [];
    let size = 0;
    request.on("error", () => {});
    response.on("error", () => {});
    for await (const chunk of request) if ((size += chunk.length) <= BODY_BYTES_MAX) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (request.method !== "POST") return this.#pass(request, response, body);
    const fate = this.#fate(), beacon = this.#note(body);
    this.requests.all++;
    if (fate === "slow") await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
    if (fate in this.requests) this.requests[fate]++;
    if (fate === "refused") return response.writeHead(503, { "access-control-allow-origin": "*" }).end();
    if (fate === "cut") return request.socket.destroy();
    const status = await this.#pass(request, response, body, fate === "unanswered");
    if (beacon && status === 204) beacon.stored++;
  }

  #fate() {
    if (!this.isBad) return "well";
    if (this.random() * FAILURES_IN < 1) return ["refused", "cut", "unanswered"][Math.floor(this.random() * 3)];
    return this.random() * SLOW_IN < 1 ? "slow" : "well";
  }

  /** undefined when it is none that has an id. */
  #note(body) {
    try {
      const { view_id, seq } = beaconId(PACKED.includes(body[0]) ? unzipSync(body) : body);
      // A snapshot is no part of the sequence, and nobody counts those.
      if (seq === SNAPSHOT) return undefined;
      const view = this.beacons.get(view_id) ?? new Map();
      this.beacons.set(view_id, view);
      const beacon = view.get(seq) ?? { tried: 0, stored: 0 };
      view.set(seq, beacon);
      beacon.tried++;
      return beacon;
    } catch {
      this.unread++;
      return undefined;
    }
  }

  /** The collector's status. `isSilent`: it got the request, but its answer is lost. */
  #pass(request, response, body, isSilent = false) {
    const { host, connection, ...headers } = request.headers;
    return new Promise((resolve) => {
      const onward = http.request(this.collector + request.url, { method: request.method, headers: { ...headers, "content-length": body.length } }, (answer) => {
        if (isSilent) {
          answer.resume();
          request.socket.destroy();
        } else answer.pipe(response.writeHead(answer.statusCode, answer.headers));
        answer.on("end", () => resolve(answer.statusCode));
        answer.on("error", () => resolve(0));
      });
      onward.on("error", () => {
        request.socket.destroy();
        resolve(0);
      });
      onward.end(body);
    });
  }
}
