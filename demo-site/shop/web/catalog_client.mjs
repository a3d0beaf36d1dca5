// Calls to the catalog service. node:http carries the trace context along (HTTP instrumentation); the SQL time that the
// catalog reports is added to the request being served, so the browser sees one sum.
import http from "node:http";
import { HttpError } from "../router.mjs";

const ANSWER_TIMEOUT_MS = 10_000;
const ANSWER_BYTES_MAX = 1 << 20;

export class CatalogClient {
  #agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  #base;

  constructor(base) {
    this.#base = base;
  }

  // The catalog's answer as { status, headers, json }; rejects with 502 when there is none.
  async ask(exchange, method, path, body) {
    const answer = await this.#send(method, path, body).catch((error) => {
      throw new HttpError(502, `catalog: ${error.message}`);
    });
    exchange.sqlMs += Number(/(?:^|,\s*)db;dur=([\d.]+)/.exec(answer.headers["server-timing"] ?? "")?.[1] ?? 0);
    return answer;
  }

  async get(exchange, path) {
    const { status, json } = await this.ask(exchange, "GET", path);
    if (status !== 200) throw new HttpError(status, json.error ?? "catalog error");
    return json;
  }

  #send(method, path, body) {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers = payload ? { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(payload) } : {};
    const url = new URL(path, this.#base);
    return new Promise((resolve, reject) => {
      const request = http.request(url, { method, headers, agent: this.#agent, timeout: ANSWER_TIMEOUT_MS }, (response) => {
        readAnswer(response).then(resolve, reject);
      });
      request.on("timeout", () => request.destroy(new Error("no answer in time")));
      request.on("error", reject);
      request.end(payload);
    });
  }

  close() {
    this.#agent.destroy();
  }
}

async function readAnswer(response) {
  let text = "";
  response.setEncoding("utf8");
  for await (const part of response) {
    text += part;
    if (text.length > ANSWER_BYTES_MAX) throw new Error("answer too large");
  }
  return { status: response.statusCode, headers: response.headers, json: JSON.parse(text) };
}
