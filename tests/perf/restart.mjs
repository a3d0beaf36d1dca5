// From the start of the process to the word "ready": after a clean stop, and after kill -9 with an open segment of nearly
// 64 MiB that holds beacons.
//
//   node tests/perf/restart.mjs build/release/vitrace [--runs 30] [--mib 60]
//
// The second half of a line is the starting thread's own, from the scheduler: on a crowded machine most of a start is waiting.
// Beside each other in one run: an empty folder (what a process costs), the full one stopped cleanly, the full one killed,
// and the full one killed while its index was deleted, so that it is being built.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ledger } from "../restart/ledger.mjs";

const option = (name, preset) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? preset : Number(process.argv[at + 1]);
};
const binary = process.argv[2], runs = option("runs", 30), mib = option("mib", 60);
const CLIENTS = 100;
const folder = mkdtempSync(join(tmpdir(), "vitrace-start-")), config = join(folder, "vitrace.yaml");
writeFileSync(config, "limits: {ip_per_second: 0, app_per_second: 0, global_per_second: 0}\n");
const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));

function start(data) {
  const child = spawn(binary, ["serve", "--config", config, "--data", data, "--listen", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0",
    "--admin", "127.0.0.1:0", "--drain-seconds", "0"], { stdio: ["ignore", "ignore", "pipe"] });
  const began = performance.now();
  let text = "";
  child.gone = once(child, "exit");
  child.ready = new Promise((ready, failed) => {
    child.stderr.on("data", (more) => {
      text += more;
      const url = /"event":"ready","message":"listen http:\/\/127\.0\.0\.1:(\d+)/.exec(text);
      if (url === null) return;
      const [ran, waited] = readFileSync(`/proc/${child.pid}/schedstat`, "latin1").split(" ").map((ns) => ns / 1e6);
      ready({ ms: performance.now() - began, ran, waited, port: Number(url[1]) });
    });
    child.gone.then(() => failed(new Error(text)));
  });
  return child;
}

// Pipelined on many connections, and answered before it ends: what is on disk is known.
async function fill(port, bytes) {
  const ledger = new Ledger();
  let size = 0, count = 0;
  const client = async () => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    let answered = 0, sent = 0, wake = () => {};
    socket.on("data", (chunk) => { answered += chunk.toString("latin1").split("HTTP/1.1 204").length - 1; wake(); });
    await once(socket, "connect");
    for (; size < bytes; count += 50) {
      const parts = [];
      for (let i = 0; i < 50; i++, sent++) {
        const { body } = ledger.take("beacon");
        parts.push(Buffer.from(`POST /v1/beacon HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n`), body);
        size += body.length + 56;
      }
      socket.write(Buffer.concat(parts));
      while (answered < sent) await new Promise((go) => { wake = go; });
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return count;
}

async function measure(data, signal, prepare) {
  const times = [];
  for (let i = 0; i < runs; i++) {
    prepare?.();
    const child = start(data);
    times.push(await child.ready);
    child.kill(signal);
    await child.gone;
  }
  return times;
}

const at = (times, what, p) => {
  const sorted = times.map((time) => time[what]).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))].toFixed(0).padStart(4);
};
const show = (name, times) => console.log(`${name.padEnd(26)} median ${at(times, "ms", 0.5)} ms   p99 ${at(times, "ms", 0.99)} ms   ` +
  `of these running ${at(times, "ran", 0.5)}, p99 ${at(times, "ran", 0.99)}; ready but without a processor ${at(times, "waited", 0.5)}, p99 ${at(times, "waited", 0.99)}`);

const full = join(folder, "full"), empty = join(folder, "empty");
try {
  const child = start(full);
  const count = await fill((await child.ready).port, Math.max(0, mib) * 1048576);
  await sleep(3000); // the index has read it
  child.kill("SIGKILL");
  await child.gone;
  const log = join(full, "log");
  console.log(`${count} beacons; log ${readdirSync(log).map((name) => `${(statSync(join(log, name)).size / 1048576).toFixed(0)} MiB`).join(" + ")}`);
  show("empty folder", await measure(empty, "SIGKILL", () => rmSync(empty, { recursive: true, force: true })));
  show("killed", await measure(full, "SIGKILL"));
  show("stopped", await measure(full, "SIGTERM"));
  show("killed, index being built", await measure(full, "SIGKILL", () => {
    for (const name of readdirSync(full)) if (name.startsWith("index.sqlite")) rmSync(join(full, name));
  }));
} finally {
  rmSync(folder, { recursive: true });
}
