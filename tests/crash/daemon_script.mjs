// One scripted life of the daemon, and its oracle, for tests that have something fail meanwhile (memory_fail.mjs,
// io_fail.mjs): every door, a reload, queries, a clean stop. Whatever fails, the daemon may refuse; what it acknowledged must
// be in the log, once, byte for byte, and in the end it must work again and say nothing of the sanitizers.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { beaconFor } from "../e2e/beacon_sample.mjs";
import { bodiesOf, documentId, encode, framesOf } from "../support/raw_bodies.mjs";

const ANSWER_MS_MAX = 10_000, READY_MS_MAX = 30_000, END_MS_MAX = 30_000, RECOVER_MS_MAX = 20_000;
const SANITIZER = /(ERROR: \w+Sanitizer|runtime error|Assertion)[^\n]*(\n.*){0,12}/;
const exportBytes = readFileSync("tests/golden/otlp/sdk_trace.bin"), exportJson = readFileSync("tests/golden/otlp/sdk_trace.json", "utf8");
const exportIds = [...new Set(exportJson.match(/(?<="traceId"\s*:\s*")[0-9a-f]{32}/g))];
const rawFrames = framesOf(readFileSync("tests/golden/replay/session.stream"));
const rawBodies = bodiesOf(rawFrames).map((body, seq) => encode(body, seq, documentId(rawFrames[0].batch)));

// A frame of one raw block: what a browser's zstd makes of nothing compressible.
function zstdOf(body) {
  if (body.length > 255) throw new Error("one byte holds the size");
  const block = (body.length << 3) | 1;
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, body.length, block & 255, block >> 8, 0]), body]);
}

let serial = 0;
function id16() {
  const id = Buffer.alloc(16, 0xc3);
  id.writeUInt32BE(++serial, 0);
  return id;
}
function spansOf(id) { // every trace of the sample becomes `id`
  let text = exportBytes.toString("latin1"), json = exportJson;
  for (const old of exportIds) {
    text = text.replaceAll(Buffer.from(old, "hex").toString("latin1"), id.toString("latin1"));
    json = json.replaceAll(old, id.toString("hex"));
  }
  return { bytes: Buffer.from(text, "latin1"), json: Buffer.from(json) };
}

export class Life {
  // `wrap`: what stands before the binary; `environment`: added to ours; `reason`: what a start that fails must say.
  constructor(binary, { wrap = [], environment = {}, reason = /./ } = {}) {
    this.folder = mkdtempSync(join(tmpdir(), "vitrace-life."));
    this.data = join(this.folder, "data");
    this.config = join(this.folder, "vitrace.yaml");
    this.binary = binary;
    this.wrap = wrap;
    this.environment = environment;
    this.reason = reason;
    this.problems = [];
    this.beacons = new Map(); // view id -> { payload, acked }
    this.exports = new Map(); // trace id -> { payload or undefined, acked }
    this.refused = 0;
  }

  configure(more = "") {
    writeFileSync(this.config, `apps:\n  - name: shop\n${more}limits:\n  ip_per_second: 0\n`);
  }

  // False: it ended by itself, with a reason.
  async start() {
    const listeners = ["--listen", "--admin", "--otlp-http", "--otlp-grpc"].flatMap((name) => [name, "127.0.0.1:0"]);
    const command = [...this.wrap, this.binary, "serve", "--config", this.config, "--data", this.data, ...listeners];
    this.process = spawn(command[0], command.slice(1), { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, ...this.environment } });
    this.said = "";
    this.process.stderr.on("data", (text) => (this.said += text));
    this.ended = once(this.process, "close");
    const late = performance.now() + READY_MS_MAX;
    for (; !this.said.includes('"event":"ready"') && this.process.exitCode === null && this.process.signalCode === null; await pause(3))
      if (performance.now() > late) { this.problems.push("it neither starts nor ends"); this.process.kill("SIGKILL"); break; }
    const said = /"message":"listen (\S+) otlp_http (\S+) otlp_grpc (\S+) admin ([^\s"]+)/.exec(this.said);
    if (said === null) return false;
    [, this.listen, this.otlp, this.grpc, this.admin] = said;
    this.agent = new Agent({ keepAlive: true, maxSockets: 1 });
    return true;
  }

  // Status, 0 = the connection was closed; "hung" is a problem.
  ask(url, { method = "GET", body, headers = {} } = {}) {
    return new Promise((resolve) => {
      const asked = request(url, { method, headers, agent: this.agent, timeout: ANSWER_MS_MAX }, (answer) => {
        const parts = [];
        answer.on("data", (part) => parts.push(part));
        answer.on("error", () => resolve({ status: 0 }));
        answer.on("end", () => resolve({ status: answer.statusCode, text: Buffer.concat(parts).toString() }));
      });
      asked.on("timeout", () => { this.problems.push(`no answer: ${method} ${url}`); asked.destroy(); });
      asked.on("error", () => resolve({ status: 0 }));
      asked.end(body);
    });
  }

  // What is neither done nor refused for want of something is wrong.
  expect(what, { status, text }, good) {
    if (status === good) return true;
    this.refused++;
    if (![0, 503, 500].includes(status)) this.problems.push(`${what} is answered ${status}: ${text?.slice(0, 200)}`);
    return false;
  }

  async postBeacon(encode = (body) => body, headers = {}) {
    const view = id16(), body = beaconFor("shop", { view: [...view] });
    const row = { payload: body.toString("hex"), acked: false };
    this.beacons.set(view.toString("hex"), row);
    row.acked = this.expect("a beacon", await this.ask(`${this.listen}/v1/beacon`, { method: "POST", body: encode(body), headers: { "Content-Type": "text/plain", Origin: "https://shop.example", ...headers } }), 204);
    return row.acked;
  }

  async postExport(pick, headers) {
    const id = id16(), made = spansOf(id), sent = pick(made);
    const row = { payload: pick(made) === made.bytes ? made.bytes.toString("hex") : undefined, acked: false };
    this.exports.set(id.toString("hex"), row);
    row.acked = this.expect("an export", await this.ask(`${this.otlp}/v1/traces`, { method: "POST", body: sent, headers }), 200);
  }

  async callExport() {
    const id = id16(), { bytes } = spansOf(id), row = { payload: bytes.toString("hex"), acked: false };
    this.exports.set(id.toString("hex"), row);
    const status = await new Promise((resolve) => {
      const session = connect(this.grpc), done = (code) => { clearTimeout(late); session.destroy(); resolve(code); };
      const late = setTimeout(() => { this.problems.push("no answer: gRPC"); done("hung"); }, ANSWER_MS_MAX);
      session.on("error", () => done("closed"));
      session.on("close", () => done("closed"));
      const call = session.request({ ":method": "POST", ":path": "/opentelemetry.proto.collector.trace.v1.TraceService/Export", "content-type": "application/grpc", te: "trailers" });
      let code;
      call.on("response", (headers) => (code = headers["grpc-status"] ?? code));
      call.on("trailers", (headers) => (code = headers["grpc-status"] ?? code));
      call.on("error", () => done("closed"));
      call.on("close", () => done(code ?? "closed"));
      call.resume();
      const head = Buffer.alloc(5);
      head.writeUInt32BE(bytes.length, 1);
      call.end(Buffer.concat([head, bytes]));
    });
    row.acked = String(status) === "0";
    if (row.acked) return;
    this.refused++;
    if (!["closed", "hung", "8", "13", "14"].includes(String(status))) this.problems.push(`gRPC is answered ${status}`);
  }

  // As the page sends them: one after the other, and what was refused again. A later body alone would be another truth: the
  // collector counts the ones before it as lost.
  async postRaw() {
    this.rawAcked = true;
    for (const body of rawBodies) {
      let status, text;
      for (let tries = 0; tries < 4 && status !== 204; tries++)
        ({ status, text } = await this.ask(`${this.listen}/v1/beacon`, { method: "POST", body, headers: { "Content-Type": "text/plain" } }));
      this.rawAcked &&= status === 204;
      if (![0, 204, 503, 500, 409].includes(status)) this.problems.push(`a raw inbox is answered ${status}: ${text?.slice(0, 200)}`);
      if (!this.rawAcked) return;
    }
  }

  // What is refused for its own sake is refused so, or later.
  async offend() {
    const beacon = (body, headers) => this.ask(`${this.listen}/v1/beacon`, { method: "POST", body, headers: { "Content-Type": "text/plain", ...headers } });
    const offences = [
      ["a body that is no beacon", 400, () => beacon("x")],
      ["an encoding that it has not", 400, () => beacon("x", { "Content-Encoding": "gzip" })],
      ["an app that is not configured", 403, () => beacon(beaconFor("nobody"))],
      ["a preflight", 204, () => this.ask(`${this.listen}/v1/beacon`, { method: "OPTIONS", headers: { Origin: "https://shop.example", "Access-Control-Request-Method": "POST" } })],
      ["a path that is not there", 404, () => this.ask(`${this.listen}/nothing`)],
      ["a method that is not", 405, () => this.ask(`${this.listen}/v1/beacon`)],
      ["an export that is none", 400, () => this.ask(`${this.otlp}/v1/traces`, { method: "POST", body: "x", headers: { "Content-Type": "application/x-protobuf" } })],
      ["an export in no known form", 415, () => this.ask(`${this.otlp}/v1/traces`, { method: "POST", body: "x" })],
    ];
    for (const [what, status, ask] of offences) this.expect(what, await ask(), status);
  }

  async reload() {
    this.configure("    origins: [\"https://shop.example\"]\n  - name: other\n");
    this.process.kill("SIGHUP");
    const late = performance.now() + ANSWER_MS_MAX;
    while (!/"event":"reload(ed|_failed)"/.test(this.said) && this.process.exitCode === null && performance.now() < late) await pause(5);
    if (!/"event":"reload(ed|_failed)"/.test(this.said)) this.problems.push("a reload says nothing");
  }

  async query() {
    const view = [...this.beacons.keys()][0], trace = [...this.exports.keys()][0];
    for (const path of ["/readyz", "/metrics", "/api/v1/apps", "/api/v1/views?app=shop&limit=5", `/api/v1/views/${view}`, `/api/v1/traces/${trace}`, "/api/v1/vitals?app=shop&metric=fcp&group=route", "/api/v1/joins?app=shop", "/api/v1/loss?app=shop", "/"]) {
      const { status, text } = await this.ask(`${this.admin}${path}`);
      if (![200, 0, 500, 503, 404].includes(status)) this.problems.push(`GET ${path} is answered ${status}: ${text?.slice(0, 200)}`);
      if (status !== 200 && status !== 404) this.refused++; // 404: the index is not so far yet
    }
  }

  // It works again: a beacon is taken, and the index has it.
  async recover() {
    const late = performance.now() + RECOVER_MS_MAX;
    while (!(await this.postBeacon())) {
      if (performance.now() > late || this.process.exitCode !== null) { this.problems.push("it takes no beacons afterwards"); return; }
      await pause(20);
    }
    const view = [...this.beacons.keys()].at(-1);
    while ((await this.ask(`${this.admin}/api/v1/views/${view}`)).status !== 200) {
      if (performance.now() > late || this.process.exitCode !== null) { this.problems.push("the index does not catch up"); return; }
      await pause(10);
    }
    for (let said; (said = await this.ask(`${this.admin}/readyz`)).status !== 200; await pause(10))
      if (performance.now() > late) { this.problems.push(`it is not ready afterwards: ${said.status} ${said.text}`); return; }
  }

  async play() {
    await this.postBeacon();
    await this.postBeacon(gzipSync, { "Content-Encoding": "gzip" });
    await this.postBeacon(zstdOf, { "Content-Encoding": "zstd" });
    await this.postRaw();
    await this.postExport(({ bytes }) => bytes, { "Content-Type": "application/x-protobuf" });
    await this.postExport(({ json }) => json, { "Content-Type": "application/json" });
    await this.postExport(({ bytes }) => gzipSync(bytes), { "Content-Type": "application/x-protobuf", "Content-Encoding": "gzip" });
    await this.callExport();
    await this.query();
    await this.offend();
    await this.reload();
    await this.postBeacon();
    await this.query();
  }

  async stop(code = 0) {
    this.agent?.destroy();
    const late = setTimeout(() => { this.problems.push("it does not end"); this.process.kill("SIGKILL"); }, END_MS_MAX);
    this.process.kill("SIGTERM");
    const [status, signal] = await this.ended;
    clearTimeout(late);
    if (status !== code) this.problems.push(`it ends with ${signal ?? status}: ${this.said.slice(-1500)}`);
  }

  // A start that fails says so, and ends with status 1.
  async refuseToStart() {
    const [status, signal] = await this.ended;
    const said = /"level":"error","event":"(?:start_failed|bad_configuration)","message":"(.*)"/.exec(this.said)?.[1] ?? "";
    if (status !== 1 || !this.reason.test(said)) this.problems.push(`it does not start, with ${signal ?? status}: ${this.said.slice(-1500)}`);
  }

  // The log against what was acknowledged. `raw`: payloads that the raw bodies become, learned from a life without failure.
  judge(vitrace, raw) {
    const report = SANITIZER.exec(this.said);
    if (report) this.problems.push(report[0]);
    const dump = spawnSync(vitrace, ["log", "dump", "--payload", this.data], { encoding: "utf8", maxBuffer: 1 << 26 });
    if (dump.status !== 0 && (this.beacons.size > 0 || dump.status === null)) this.problems.push(`log dump: ${dump.status} ${dump.stderr.slice(0, 500)}`);
    const others = [], seen = new Map();
    for (const line of dump.stdout.split("\n").filter(Boolean)) {
      const record = JSON.parse(line);
      const key = record.type === "beacon" ? record.view_id : [...this.exports.keys()].find((id) => record.payload.includes(id));
      const row = record.type === "beacon" ? this.beacons.get(key) : this.exports.get(key);
      if (row === undefined) { others.push(record.payload); continue; }
      if (row.payload !== undefined && row.payload !== record.payload) this.problems.push(`${key} has other bytes`);
      if (seen.has(key)) this.problems.push(`${key} is stored twice`);
      seen.set(key, true);
    }
    for (const [key, row] of [...this.beacons, ...this.exports]) if (row.acked && !seen.has(key)) this.problems.push(`ACKED AND LOST: ${key}`);
    if (raw !== undefined) {
      if (new Set(others).size !== others.length || others.some((payload) => !raw.includes(payload))) this.problems.push("a raw inbox became something else");
      if (this.rawAcked && others.length !== raw.length) this.problems.push(`ACKED AND LOST: ${raw.length - others.length} beacons of raw inboxes`);
    }
    return others;
  }

  remove() { rmSync(this.folder, { recursive: true, force: true }); }

  // The whole of it. Returns the payloads of the raw inboxes.
  async run(vitrace, raw) {
    mkdirSync(this.folder, { recursive: true });
    this.configure();
    if (await this.start()) {
      await this.play();
      await this.recover();
      await this.stop();
    } else await this.refuseToStart();
    return this.judge(vitrace, raw);
  }
}
