// Restarts, or reloads, of the real daemon while clients of every habit send to it at 80 % of what it takes. Pass: no
// request without its answer, nothing acked that is not in the log exactly once.
//
//   restart_sockets listen otlp_http otlp_grpc -- node tests/restart/restart.mjs BINARY [--restarts 12] [--reloads 0] [--tls] [--keep]
//
// The listening sockets are ours, as they are a service manager's, and stay open. Restarts take turns:
//   restart   SIGTERM, wait for the end, start                (systemctl restart)
//   takeover  start a second one that waits for the folder, then SIGTERM to the first
// Reloads take turns between two configurations and one that is wrong, which must change nothing.
// Closes with "N passed, N failed".
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ledger } from "./ledger.mjs";
import { Load } from "./load.mjs";

const SHARE = 0.8, CAPACITY_MS = 800, CAPACITY_LOOKS = 4, START_MS_MAX = 20000;
const option = (name, preset) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? preset : Number(process.argv[at + 1]);
};
const binary = process.argv[2], restarts = option("restarts", 12), reloads = option("reloads", 0);
const names = process.env.RESTART_NAMES.split(":");
const ports = Object.fromEntries(process.env.RESTART_PORTS.split(":").map((port, i) => [names[i], Number(port)]));
const folder = mkdtempSync(join(tmpdir(), "vitrace-restart-")), data = join(folder, "data"), config = join(folder, "vitrace.yaml");
const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));
const spread = (list) => {
  const sorted = [...list].sort((a, b) => a - b), at = (p) => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? 0).toFixed(0);
  return `median ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`;
};

const secure = process.argv.includes("--tls"), certificate = join(folder, "certificate.pem"), key = join(folder, "key.pem");
if (secure) {
  spawnSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
    "-days", "2", "-keyout", key, "-out", certificate], { stdio: "ignore" });
}

// The flood limits are for strangers; here one address is everybody.
const limits = "limits: {ip_per_second: 0, app_per_second: 0, global_per_second: 0, connections_per_ip: 5000}\n" +
  (secure ? `tls_certificate: ${certificate}\ntls_key: ${key}\ntls_listeners: listen, otlp_http, otlp_grpc\n` : "");
const configs = [`${limits}apps: [{name: shop, origins: ["https://shop.example"]}]\n`,
  `${limits}apps: [{name: shop, origins: ["https://shop.example", "https://other.example"]}, {name: blog, origins: ["https://blog.example"]}]\n`,
  `${limits}apps: [{name: shop, origin: "misspelled"}]\n`];

function start() {
  const args = ["serve", "--config", config, "--data", data, "--admin", "127.0.0.1:0", "--lock-wait-seconds", "20"];
  const child = spawn("/bin/sh", ["-c", 'LISTEN_PID=$$ exec "$0" "$@"', binary, ...args], {
    env: { ...process.env, LISTEN_FDS: String(names.length), LISTEN_FDNAMES: names.join(":") },
    stdio: ["ignore", "ignore", "pipe", ...names.map((_, i) => 3 + i)] });
  child.text = "";
  child.stderr.on("data", (text) => { child.text += text; });
  child.gone = once(child, "exit");
  return child;
}

// Until its stderr has the event `count` times.
async function told(child, event, count = 1) {
  for (const began = performance.now(); child.text.split(`"event":"${event}"`).length <= count; await sleep(1)) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the daemon ended: ${child.text}`);
    if (performance.now() - began > START_MS_MAX) throw new Error(`no ${event} in ${START_MS_MAX} ms: ${child.text}`);
  }
}

async function ended(child) {
  const [status] = await child.gone;
  if (status !== 0) throw new Error(`the daemon ended with ${status}: ${child.text}`);
}

const stopMs = [], startMs = [], takeoverMs = [];
async function restart(old) {
  const began = performance.now();
  old.kill("SIGTERM");
  await ended(old);
  const between = performance.now(), fresh = start();
  stopMs.push(between - began);
  await told(fresh, "ready");
  startMs.push(performance.now() - between);
  return fresh;
}

async function takeover(old) {
  const fresh = start();
  await told(fresh, "waiting");
  old.kill("SIGTERM");
  await ended(old);
  const between = performance.now();
  await told(fresh, "ready");
  takeoverMs.push(performance.now() - between);
  return fresh;
}

const counter = (text, name) => text.split("\n").filter((line) => line.startsWith(name)).reduce((sum, line) => sum + Number(line.split(" ").pop()), 0);
async function metrics() {
  const { admin } = JSON.parse(readFileSync(join(data, "addresses.json"), "utf8"));
  return (await fetch(`${admin}/metrics`, { headers: { connection: "close" } })).text();
}

const ledger = new Ledger(), load = new Load({ ports, ledger, secure });
const problems = [];
const check = (good, text) => { if (!good) problems.push(text); };

async function reloadMany(child) {
  for (let i = 0, good = 0, bad = 0; i < reloads; i++) {
    const wrong = i % 3 === 2;
    writeFileSync(config, configs[wrong ? 2 : i % 2]);
    child.kill("SIGHUP");
    await told(child, wrong ? "reload_failed" : "reloaded", wrong ? ++bad : ++good);
    await sleep(20 + Math.random() * 60);
  }
  writeFileSync(config, configs[0]);
}

// Of one life of the daemon: what it has counted is what we have counted.
function compare(text) {
  const is = (name, wanted) => check(counter(text, name) === wanted, `${name} is ${counter(text, name)}, not ${wanted}`);
  is("vitrace_beacons_acked_total", ledger.acked.beacon);
  is("vitrace_spans_accepted_total", ledger.acked.spans);
  is("vitrace_beacons_rejected_total", 0);
  is("vitrace_http_bad_requests_total", 0);
  is("vitrace_connections_refused_total", 0);
  is("vitrace_log_records_total", ledger.acked.beacon + ledger.acked.spans);
}

writeFileSync(config, configs[0]);
let child = start(), done = 0;
try {
  await told(child, "ready");
  load.start();
  let capacity = 0; // the best of some: another process may take one of them
  for (let i = 0; i < CAPACITY_LOOKS; i++) {
    const before = ledger.acked.beacon + ledger.acked.spans;
    await sleep(CAPACITY_MS);
    capacity = Math.max(capacity, (ledger.acked.beacon + ledger.acked.spans - before) * 1000 / CAPACITY_MS);
  }
  load.pace.rate = SHARE * capacity;
  console.log(`${Math.round(capacity)} requests/s at most, ${Math.round(load.pace.rate)} offered`);
  await reloadMany(child);
  load.slowestMs = {}; // without the unlimited first seconds
  for (; done < restarts && load.counts.failed === 0; done++) {
    await sleep(200 + Math.random() * 400);
    child = await (done % 2 === 0 ? restart : takeover)(child);
  }
  await sleep(200);
  await load.end();
  if (restarts === 0) compare(await metrics());
  child.kill("SIGTERM");
  await ended(child);
} catch (error) {
  problems.push(String(error.stack));
  child.kill("SIGKILL");
  await load.end();
}
const { problems: audit, stored } = await ledger.audit(binary, data);
for (const [reason, count] of load.failures) problems.push(`${count} x ${reason}`);
problems.push(...audit);
for (const problem of problems.slice(0, 20)) console.log(problem);
console.log(`${done} restarts, ${reloads} reloads: ${load.counts.requests} requests on ${load.counts.connections} connections, ` +
  `${load.counts.failed} failed; ${ledger.acked.beacon + ledger.acked.spans} acked, ${stored} stored`);
console.log(`longest wait for an answer, ms: ${Object.entries(load.slowestMs).map(([kind, ms]) => `${kind} ${ms}`).join("; ")}`);
if (restarts > 0) console.log(`stop to end: ${spread(stopMs)}; start to ready: ${spread(startMs)}; taking over: ${spread(takeoverMs)}`);
if (problems.length === 0 && !process.argv.includes("--keep")) rmSync(folder, { recursive: true });
else console.log(`kept: ${folder}`);
const total = restarts + reloads;
console.log(problems.length === 0 ? `${total} passed, 0 failed` : `${done} passed, ${problems.length} failed`);
process.exit(problems.length === 0 ? 0 : 1);
