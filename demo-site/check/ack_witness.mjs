// A witness between the clients and the collector: passes every request on, and writes down what the collector
// acknowledged, and when. A collector that is not there looks to the client as it would without the witness: the
// connection breaks.
import http from "node:http";
import { gunzipSync, inflateSync } from "node:zlib";
import { beaconId, spanIds } from "./protobuf.mjs";

const readAll = async (stream) => {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
};

// A beacon says by its first byte how it is packed, an export by its header. No message of either begins like that.
const UNPACK = { 0x1f: gunzipSync, 0x78: inflateSync };
const unpacked = (body) => UNPACK[body[0]]?.(body) ?? body;

export class AckWitness {
  beacons = []; // { view_id, seq, acked, at }
  spans = []; // { trace_id, span_id }, acknowledged
  broken = 0; // requests that the collector did not answer
  #server;

  // Called after each beacon request was passed on, before its answer is known.
  onBeacon = () => {};

  constructor(target) {
    this.#server = http.createServer((request, response) => this.#pass(target, request, response));
  }

  listen(port) {
    return new Promise((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #pass(target, request, response) {
    try {
      const body = await readAll(request);
      const answering = this.#forward(target, request, body);
      if (request.url.startsWith("/v1/beacon") && request.method === "POST") this.onBeacon();
      const answer = await answering;
      this.#note(request, body, answer.status);
      response.writeHead(answer.status, answer.headers);
      response.end(answer.body);
    } catch {
      this.broken++;
      response.destroy();
    }
  }

  #forward(target, request, body) {
    const url = new URL(request.url, target);
    const headers = { ...request.headers, host: url.host };
    return new Promise((resolve, reject) => {
      const forward = http.request(url, { method: request.method, headers, agent: false, timeout: 10_000 }, (answer) => {
        readAll(answer).then((text) => resolve({ status: answer.statusCode, headers: answer.headers, body: text }), reject);
      });
      forward.on("timeout", () => forward.destroy(new Error("timeout")));
      forward.on("error", reject);
      forward.end(body);
    });
  }

  #note(request, body, status) {
    if (request.method !== "POST") return;
    const bytes = unpacked(body);
    if (request.url.startsWith("/v1/beacon")) this.beacons.push({ ...beaconId(bytes), acked: status === 204, at: Date.now() });
    if (request.url.startsWith("/v1/traces") && status === 200) this.spans.push(...spanIds(bytes));
  }
}
