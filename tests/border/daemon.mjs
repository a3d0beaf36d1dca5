// What the tests of the collector's border share: the daemon on free ports, bytes as they are on a socket, and counting.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { logFaults } from "../support/log_lines.mjs";

const READY_MS_MAX = 30_000;
const ANSWER_MS_MAX = 20_000; // for what must come; what must not come is waited for QUIET_MS
const QUIET_MS = 150;

export class Daemon {
  // `yaml`: the configuration file; `flags` come after the addresses, all of them loopback with port 0.
  static async start(binary, yaml = "apps: []\n", flags = []) {
    const self = new Daemon();
    self.folder = mkdtempSync(join(tmpdir(), "vitrace-border."));
    writeFileSync(join(self.folder, "vitrace.yaml"), yaml);
    const listeners = ["--listen", "--admin", "--otlp-http", "--otlp-grpc"].flatMap((name) => [name, "127.0.0.1:0"]);
    return self.run(binary, ["--config", join(self.folder, "vitrace.yaml"), ...listeners, ...flags]);
  }

  // Nothing but its defaults.
  static async startPlain(binary) {
    const self = new Daemon();
    self.folder = mkdtempSync(join(tmpdir(), "vitrace-border."));
    return self.run(binary, []);
  }

  async run(binary, flags) {
    const data = join(this.folder, "data");
    this.process = spawn(binary, ["serve", "--data", data, ...flags], { stdio: ["ignore", "ignore", "pipe"] });
    this.said = "";
    this.saidBytes = [];
    this.process.stderr.on("data", (bytes) => { this.said += bytes; this.saidBytes.push(bytes); });
    this.ended = once(this.process, "exit");
    const file = join(data, "addresses.json");
    for (let waited = 0; waited < READY_MS_MAX && !existsSync(file) && this.process.exitCode === null; waited += 50) await pause(50);
    if (!existsSync(file)) throw new Error(`the collector did not start: ${this.said}`);
    return Object.assign(this, JSON.parse(readFileSync(file, "utf8")));
  }

  port(listener) {
    return Number(this[listener].split(":").at(-1));
  }

  async metrics(headers = {}) {
    const response = await fetch(`${this.admin}/metrics`, { headers, signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    return response.text();
  }

  // The sum of all series of one name.
  async metric(name) {
    const lines = (await this.metrics()).split("\n").filter((line) => line.startsWith(name) && " {".includes(line[name.length]));
    return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  }

  // Exit status 0 on SIGTERM, nothing from the sanitizers, and every line of the log JSON. Returns what is wrong with it, "" = nothing.
  async stop() {
    this.process.kill("SIGTERM");
    const [status] = await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
    const report = /(ERROR: \w+Sanitizer|runtime error)[^\n]*/.exec(this.said);
    const [fault] = logFaults(Buffer.concat(this.saidBytes));
    if (status === 0 && !report && fault) return `log: ${fault}`;
    return status === 0 && !report ? "" : `exit status ${status}, ${report?.[0] ?? this.said.slice(-500)}`;
  }
}

// One connection: sends `bytes`, and reads until `isDone(text, closed)` says that nothing else is waited for.
export async function talk(port, bytes, isDone = (text, closed) => closed, host = "127.0.0.1") {
  const socket = connect({ port, host });
  let text = "", closed = false;
  let changed = () => {};
  socket.setEncoding("latin1");
  socket.on("data", (more) => { text += more; changed(); });
  socket.on("end", () => { closed = true; changed(); }); // their FIN
  socket.on("error", () => { closed = true; changed(); });
  socket.on("close", () => { closed = true; changed(); });
  socket.write(Buffer.from(bytes, "latin1"));
  const end = performance.now() + ANSWER_MS_MAX;
  while (!isDone(text, closed) && !closed && performance.now() < end)
    await Promise.race([new Promise((resolve) => (changed = resolve)), pause(QUIET_MS)]);
  socket.destroy();
  return { text, closed };
}

// As talk(), but for a peer that may rightly stay silent: until it has closed, or has said nothing for `quiets` pauses.
export function overhear(port, bytes, quiets = 2, host = "127.0.0.1") {
  let before = -1, silent = 0;
  return talk(port, bytes, (text) => {
    silent = text.length === before ? silent + 1 : 0;
    before = text.length;
    return silent >= quiets;
  }, host);
}

// The final answers in what a server has sent: status, headers in lowercase, body by its Content-Length.
export function answersIn(text, isHead = false) {
  const answers = [];
  for (let at = 0; text.startsWith("HTTP/1.", at);) {
    const split = text.indexOf("\r\n\r\n", at);
    if (split < 0) break;
    const [first, ...lines] = text.slice(at, split).split("\r\n");
    const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]));
    const status = Number(first.split(" ")[1]);
    const size = isHead ? 0 : Number(headers.get("content-length") ?? 0);
    const body = text.slice(split + 4, split + 4 + size);
    at = split + 4 + size;
    if (status >= 200) answers.push({ status, headers, body });
  }
  return answers;
}

// A connection that is kept: one whole request at a time, answered by one whole answer. Opened anew when it was closed.
export class Client {
  constructor(port) { this.port = port; }

  async ask(bytes, isHead = false) {
    if (!this.socket || this.closed) this.open();
    this.text = "";
    const socket = this.socket;
    socket.write(Buffer.from(bytes, "latin1"));
    const whole = () => {
      const [answer] = answersIn(this.text, isHead);
      return answer && (isHead || answer.body.length >= Number(answer.headers.get("content-length") ?? 0)) ? answer : null;
    };
    const end = performance.now() + ANSWER_MS_MAX;
    while (!whole() && !this.closed && performance.now() < end)
      await Promise.race([new Promise((resolve) => (this.changed = resolve)), pause(QUIET_MS)]);
    const answer = whole();
    if (answer?.headers.get("connection") === "close") this.close();
    return answer ?? { status: 0, headers: new Map(), body: this.text };
  }

  open() {
    const socket = connect({ port: this.port, host: "127.0.0.1", noDelay: true });
    Object.assign(this, { socket, closed: false, changed: () => {} });
    const on = (then) => (more) => { if (this.socket === socket) { then(more); this.changed(); } };
    socket.setEncoding("latin1");
    socket.on("data", on((more) => (this.text += more)));
    for (const name of ["end", "error", "close"]) socket.on(name, on(() => (this.closed = true)));
  }

  close() {
    this.socket?.destroy();
    this.socket = undefined;
  }
}

// Counts, prints what failed, and closes as tests/run.sh reads it.
export class Tally {
  passed = 0;
  failed = 0;

  check(sentence, good, detail = "") {
    good ? this.passed++ : this.failed++;
    if (!good) console.log(`FAIL ${sentence}: ${detail}`);
  }

  // A section: prints how many of its checks held.
  async section(name, run) {
    const before = this.passed, failed = this.failed;
    await run();
    console.log(`${this.failed === failed ? "ok  " : "FAIL"} ${name}: ${this.passed - before} of ${this.passed + this.failed - before - failed}`);
  }

  close() {
    console.log(`${this.passed} passed, ${this.failed} failed`);
    process.exitCode = this.failed === 0 ? 0 : 1;
  }
}
