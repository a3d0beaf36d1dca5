// More than the daemon can do: ten times its capacity, thousands of slow clients, millions of addresses, sessions and URLs.
//
//   node tests/overload/overload.mjs BUILD [--long] [--only surge,slow,addresses,sessions,urls,idle]
//
// BUILD is a build folder with vitrace and tests/overload. Small by default; --long is the release bar (surge of 5 minutes,
// 10,000 slow clients, 1 M addresses, 5 M sessions, 10 M URLs; about 25 minutes). What is asserted is promises: who was
// told 204 is stored once, every refusal says when to come back, memory stays within its budget, /metrics has as many lines
// as before. Rates are printed, as ratios measured in one run; the only ones asserted are wide.
//
// The daemon gets a share of one core by a cgroup, so that ten times what it can do can really be offered by a client on
// the same machine; where no cgroup can be made, it gets the core, the client another, and "offered" counts what could not
// be sent, too.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

import { Tally } from "../border/daemon.mjs";

const build = process.argv[2];
const long = process.argv.includes("--long");
const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1].split(",") : null;
const tool = (name) => join(build, "tests/overload", `overload_${name}`);
const MIB = 1 << 20;
const MEMORY = 96 * MIB; // the default
const tally = new Tally();

// ---- beacons, by WIRE.md; V, S and U are filled in by overload_load ----
const varint = (n) => { const out = []; do { out.push((n & 127) | (n > 127 ? 128 : 0)); n = Math.floor(n / 128); } while (n > 0); return out; };
const bytes = (field, body) => [...varint(field * 8 + 2), ...varint(body.length), ...body];
const number = (field, value) => [...varint(field * 8), ...varint(value)];
const text = (value) => [...Buffer.from(value)];

function beacon(resources, name) {
  const page = [...bytes(1, text(`https://shop.example/${name("p")}`)), ...bytes(2, text(`/${name("r")}`))];
  const header = [...number(1, 1), ...bytes(2, text("shop")), ...bytes(3, text("V".repeat(16))), ...bytes(4, text("S".repeat(16))),
    ...number(6, 1700000000000000), ...bytes(10, text("perf")), ...bytes(13, page)];
  const out = bytes(1, header);
  for (let i = 0; i < resources; i++) {
    const start = 100000 + 7000 * i;
    out.push(...bytes(2, text(`https://shop.example/${name(`part-${i}`)}.js`)));
    out.push(...bytes(3, [...number(1, i + 1), ...number(2, start), ...number(3, 1800), ...number(4, 8000), ...number(5, 1600),
      ...number(6, 10300 + i), ...number(7, 10000 + i), ...number(9, 3), ...number(10, 3), ...number(11, 200)]));
  }
  out.push(...bytes(15, [...number(1, resources), ...number(2, resources)]));
  return Buffer.from(out);
}

// ---- a share of one core ----
class Share {
  constructor(percent) {
    const period = 10_000, quota = period * percent / 100;
    const tries = [ // cgroup v2, v1
      { folder: `/sys/fs/cgroup/vitrace-overload-${process.pid}`, files: { "cpu.max": `${quota} ${period}` } },
      { folder: `/sys/fs/cgroup/cpu/vitrace-overload-${process.pid}`, files: { "cpu.cfs_period_us": `${period}`, "cpu.cfs_quota_us": `${quota}` } },
    ];
    for (const { folder, files } of tries) {
      try {
        mkdirSync(folder);
        this.folder = folder;
        if (!existsSync(join(folder, "cgroup.procs"))) throw new Error("no cgroup");
        for (const [name, value] of Object.entries(files)) writeFileSync(join(folder, name), value);
        return;
      } catch { this.close(); }
    }
  }
  take(pid) { if (this.folder) writeFileSync(join(this.folder, "cgroup.procs"), `${pid}`); }
  close() {
    try { if (this.folder) rmdirSync(this.folder); } catch { /* it has a process still */ }
    this.folder = undefined;
  }
}

class Daemon {
  static async start({ limits = "", more = "", pinned = false } = {}) {
    const self = new Daemon();
    self.folder = mkdtempSync(join(tmpdir(), "vitrace-overload."));
    const yaml = join(self.folder, "vitrace.yaml");
    writeFileSync(yaml, `apps:\n  - name: shop\nlimits: { ip_per_second: 0, app_per_second: 0, global_per_second: 0, connections_per_ip: 0${limits} }\n${more}`);
    const listeners = ["--listen", "--admin", "--otlp-http", "--otlp-grpc"].flatMap((name) => [name, "127.0.0.1:0"]);
    const command = [join(build, "vitrace"), "serve", "--config", yaml, "--data", join(self.folder, "data"), ...listeners];
    if (pinned) command.unshift("taskset", "-c", "0");
    self.process = spawn(command[0], command.slice(1), { stdio: ["ignore", "ignore", "pipe"] });
    self.said = "";
    self.process.stderr.on("data", (more) => (self.said = (self.said + more).slice(-20_000)));
    self.ended = once(self.process, "exit");
    const file = join(self.folder, "data/addresses.json");
    for (let i = 0; i < 200 && !existsSync(file) && self.process.exitCode === null; i++) await pause(50);
    if (!existsSync(file)) throw new Error(`the collector did not start: ${self.said}`);
    Object.assign(self, JSON.parse(readFileSync(file, "utf8")));
    self.port = Number(self.listen.split(":").at(-1));
    return self;
  }
  // CPU seconds of all its threads so far, exact.
  cpu() {
    return readdirSync(`/proc/${this.pid}/task`).reduce((sum, task) => sum + Number(readFileSync(`/proc/${this.pid}/task/${task}/schedstat`, "utf8").split(" ")[0]), 0) / 1e9;
  }
  // Until the index has read what the log had; it follows at its own pace.
  async settled() {
    for (let i = 0, before = -1; i < 1200; i++) {
      const now = metric(await this.metrics(), "vitrace_sink_position_bytes");
      if (now === before) return;
      before = now;
      await pause(300);
    }
  }
  rss() { return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"))[1]) * 1024; }
  async metrics() { return (await fetch(`${this.admin}/metrics`, { signal: AbortSignal.timeout(20_000) })).text(); }
  async stop() {
    this.process.kill("SIGTERM");
    const [status] = await this.ended;
    return status === 0 ? "" : `exit status ${status}: ${this.said.slice(-600)}`;
  }
  remove() { rmSync(this.folder, { recursive: true, force: true }); }
}

const metric = (page, series) => Number(new RegExp(`^${series.replace(/[{}"]/g, "\\$&")} (\\S+)$`, "m").exec(page)?.[1] ?? NaN);

// A program of ours; resolves to its last line as JSON. Pinned: to the core that the daemon does not have.
function run(name, { pinned = false, ...options }) {
  const command = [tool(name), ...Object.entries(options).map(([key, value]) => `${key}=${value}`)];
  if (pinned) command.unshift("taskset", "-c", "1");
  const child = spawn(command[0], command.slice(1), { stdio: ["ignore", "pipe", "inherit"] });
  let last = "", heard = () => {};
  const first = new Promise((resolve) => (heard = resolve));
  createInterface({ input: child.stdout }).on("line", (line) => { last = line; heard(line); });
  const done = once(child, "close").then(() => JSON.parse(last || "{}"));
  return Object.assign(done, { first });
}

// Samples RSS while `done` is under way.
async function watch(daemon, done) {
  const samples = [];
  let under = true;
  const end = done.finally(() => (under = false));
  while (under) {
    samples.push(daemon.rss());
    await Promise.race([pause(100), end.catch(() => {})]);
  }
  return { result: await end, samples };
}

const mib = (value) => (value / MIB).toFixed(1);
const at = (samples, share) => samples[Math.min(samples.length - 1, Math.floor(samples.length * share))];

// Every accounted use within what it may have, and the whole within its budget.
function checkMemory(page, rssMost) {
  const budget = metric(page, "vitrace_memory_budget_bytes");
  const peaks = [...page.matchAll(/^vitrace_memory_peak_bytes\{use="(\w+)"\} (\d+)$/gm)].map(([, use, value]) => [use, Number(value)]);
  tally.check("the budget is the configured one", budget === MEMORY, `${budget}`);
  tally.check("no use ever had more than the budget", peaks.length > 0 && peaks.every(([, value]) => value <= budget), JSON.stringify(peaks));
  tally.check("RSS stays within the budget and a tenth", rssMost <= MEMORY * 1.1, `${mib(rssMost)} MiB`);
  console.log(`     peaks: ${peaks.filter(([, value]) => value > 0).map(([use, value]) => `${use} ${mib(value)}`).join(", ")} MiB; RSS at most ${mib(rssMost)} MiB of ${mib(budget)}`);
}

function checkRefusals(result) {
  const seconds = result.retry_after.map((count, second) => [second, count]).filter(([, count]) => count > 0);
  tally.check("every refusal says when to come back", result.no_retry_after === 0, `${result.no_retry_after} do not`);
  if (result.refused < 200) return;
  const most = Math.max(...seconds.map(([, count]) => count));
  tally.check("what it says is spread", seconds.length >= 4 && most <= result.refused / 2, JSON.stringify(seconds));
}

function percentile(histogram, share) {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  for (let i = 0; i < histogram.length; i++) if ((seen += histogram[i]) >= total * share) return 2 ** (i + 1) / 1000;
  return 0;
}

async function surge() {
  const share = new Share(20), seconds = long ? 300 : 15, warm = 3;
  const pinned = share.folder === undefined;
  const daemon = await Daemon.start({ more: "log_bytes_max: 8G\n", pinned });
  const file = join(daemon.folder, "beacon"), ledger = join(daemon.folder, "ledger");
  writeFileSync(file, beacon(12, (name) => name));
  share.take(daemon.pid);
  const base = { port: daemon.port, beacon: file, pinned };
  const costs = async (options) => { // what is stored in a second of the clock, and of the daemon's own CPU
    const began = daemon.cpu(), { result, samples } = await watch(daemon, run("load", { ...base, ...options }));
    return { result, samples, cpu: daemon.cpu() - began, perCpu: result.acked / (daemon.cpu() - began) };
  };
  await run("load", { ...base, seconds: 1, seed: 4 });
  const before = await costs({ seconds: long ? 10 : 5, connections: 64, seed: 2 });
  const capacity = before.result.acked / before.result.seconds;
  const during = await costs({ seconds, connections: 1000, rate: Math.round(10 * capacity), seed: 1, ledger });
  const { result, samples } = during;
  const loaded = await daemon.metrics();
  const steady = result.acked_per_second.slice(warm, seconds);
  const goodput = steady.reduce((sum, count) => sum + count, 0) / steady.length;
  const polite = await costs({ seconds: long ? 60 : 6, connections: 1000, rate: Math.round(10 * capacity), seed: 8, honor: 1 });
  await pause(2000);
  const after = await run("load", { ...base, seconds: 3, connections: 64, seed: 3 });
  const page = await daemon.metrics();
  console.log(`     share of a core: ${share.folder ? "20 %" : "all (no cgroup)"}; capacity ${capacity.toFixed(0)}/s; offered ${(result.offered / seconds).toFixed(0)}/s ` +
    `(${(result.offered / seconds / capacity).toFixed(1)}x), sent ${(result.sent / seconds).toFixed(0)}/s, stored ${goodput.toFixed(0)}/s, refused ${(result.refused / seconds).toFixed(0)}/s`);
  console.log(`     CPU: ${(100 * before.cpu / before.result.seconds).toFixed(0)} % of a core before, ${(100 * during.cpu / result.seconds).toFixed(0)} % under load; ` +
    `stored per CPU-second ${before.perCpu.toFixed(0)} before, ${during.perCpu.toFixed(0)} under load (${(100 * during.perCpu / before.perCpu).toFixed(0)} %)`);
  console.log(`     goodput ${(100 * goodput / capacity).toFixed(0)} % of capacity; admitted within ${percentile(result.latency_log2_us, 0.5)} ms (median), ` +
    `${percentile(result.latency_log2_us, 0.99)} ms (p99), powers of two; shed level at the end ${metric(loaded, "vitrace_shed_level")}; after the load ${(100 * after.acked / after.seconds / capacity).toFixed(0)} % of capacity, ${after.refused} refused`);
  const politeSteady = polite.result.acked_per_second.slice(warm, long ? 60 : 6);
  console.log(`     clients that wait as they are told: goodput ${(100 * politeSteady.reduce((sum, count) => sum + count, 0) / politeSteady.length / capacity).toFixed(0)} %, ` +
    `refused ${(polite.result.refused / polite.result.seconds).toFixed(0)}/s; admitted within ${percentile(polite.result.latency_log2_us, 0.5)} ms (median), ${percentile(polite.result.latency_log2_us, 0.99)} ms (p99)`);
  tally.check("ten times the capacity is offered", result.offered >= 9 * capacity * seconds, `${result.offered}`);
  tally.check("most of what can be done is done (wide bound)", goodput >= capacity * 0.3, `${goodput} of ${capacity}`);
  tally.check("nothing but 204, 429 and 503 is answered", result.other === 0, `${result.other}`);
  tally.check("2 s later nobody is refused", after.refused === 0 && after.acked > 0, `${after.refused}`);
  checkRefusals(result);
  checkMemory(page, Math.max(...samples));
  const wrong = await daemon.stop();
  tally.check("the daemon ends in order, with every byte given back", wrong === "", wrong);
  const audit = spawnSync(tool("audit"), [join(daemon.folder, "data/log"), ledger, "1"], { encoding: "utf8" });
  tally.check("who was told 204 is stored, once", audit.status === 0 && JSON.parse(audit.stdout).acked === result.acked, audit.stdout + audit.stderr);
  console.log(`     audit: ${audit.stdout.trim()}`);
  daemon.remove();
  share.close();
}

async function slow() {
  const connections = long ? 10_000 : 2_000, seconds = long ? 12 : 6;
  const daemon = await Daemon.start({ limits: ", connections: 12000" });
  const file = join(daemon.folder, "beacon");
  writeFileSync(file, beacon(12, (name) => name));
  const honest = { port: daemon.port, beacon: file, seconds: seconds - 2, connections: 16 };
  await run("load", { ...honest, seconds: 1, seed: 5 });
  const cpuBefore = daemon.cpu(), alone = await run("load", { ...honest, seed: 6 }), cpuAlone = daemon.cpu() - cpuBefore;
  const slows = run("slow", { port: daemon.port, connections, seconds: seconds + 2, addresses: 20 });
  const began = daemon.rss();
  await slows.first;
  await pause(1000);
  const cpuOpen = daemon.cpu(), beside = await run("load", { ...honest, seed: 7 }), cpuBeside = daemon.cpu() - cpuOpen;
  const page = await daemon.metrics(), rss = daemon.rss();
  const slowed = await slows;
  const ratio = beside.acked / beside.seconds / (alone.acked / alone.seconds);
  console.log(`     ${connections} slow clients (${slowed.opened} connections opened, ${metric(page, "vitrace_connections")} open): honest rate ${(100 * ratio).toFixed(0)} % of alone ` +
    `(${(alone.acked / alone.seconds).toFixed(0)}/s); RSS ${mib(began)} -> ${mib(rss)} MiB`);
  console.log(`     honest beacons per CPU-second of the daemon: ${(alone.acked / cpuAlone).toFixed(0)} alone, ${(beside.acked / cpuBeside).toFixed(0)} beside them (${(100 * beside.acked / cpuBeside * cpuAlone / alone.acked).toFixed(0)} %)`);
  tally.check("the slow clients are let in", metric(page, "vitrace_connections") >= connections * 0.8, `${metric(page, "vitrace_connections")}`);
  tally.check("the honest client loses nothing", beside.refused === 0 && beside.other === 0 && beside.broken === 0 && beside.acked > 0, JSON.stringify(beside));
  checkMemory(page, rss);
  tally.check("the daemon ends in order", (await daemon.stop()) === "");
  daemon.remove();
}

// What one idle connection costs.
async function idle() {
  const connections = long ? 10_000 : 4_000;
  const daemon = await Daemon.start({ limits: ", connections: 12000" });
  const rssIdle = daemon.rss(), before = metric(await daemon.metrics(), `vitrace_memory_used_bytes{use="connections"}`);
  const sockets = run("slow", { port: daemon.port, connections, seconds: 2, addresses: 20, kinds: 1 });
  await sockets.first;
  await pause(500);
  const page = await daemon.metrics(), open = metric(page, "vitrace_connections");
  const accounted = (metric(page, `vitrace_memory_used_bytes{use="connections"}`) - before) / open, resident = (daemon.rss() - rssIdle) / open;
  await sockets;
  console.log(`     RSS of the idle daemon ${mib(rssIdle)} MiB; ${open} idle connections: ${accounted.toFixed(0)} bytes each accounted, ${resident.toFixed(0)} resident`);
  tally.check("an idle connection is accounted with no more than 4 KiB", open >= connections && accounted <= 4096, `${accounted} x ${open}`);
  tally.check("the daemon ends in order", (await daemon.stop()) === "");
  daemon.remove();
}

async function flood(name, { count, resources, place, forwarded, more = "", perBeacon = 1 }) {
  const daemon = await Daemon.start({ more: `log_bytes_max: 256M\n${more}` });
  const file = join(daemon.folder, "beacon");
  writeFileSync(file, beacon(resources, place));
  const base = { port: daemon.port, beacon: file, connections: 64, seconds: 1200, seed: 11, forwarded };
  await run("load", { ...base, count: 200, seed: 12 });
  const lines = (await daemon.metrics()).split("\n").length;
  const { result, samples } = await watch(daemon, run("load", { ...base, count }).then(async (end) => { await daemon.settled(); return end; }));
  const page = await daemon.metrics();
  const index = readdirSync(join(daemon.folder, "data")).filter((file) => file.startsWith("index.sqlite"))
    .reduce((sum, file) => sum + statSync(join(daemon.folder, "data", file)).size, 0);
  console.log(`     ${count * perBeacon} ${name} in ${result.seconds.toFixed(0)} s (${(result.acked / result.seconds).toFixed(0)} beacons/s): RSS ${[0.2, 0.6, 1].map((share) => mib(at(samples, share))).join(", ")} MiB at 20, 60, 100 %; ` +
    `log ${mib(metric(page, "vitrace_log_bytes"))}, index ${mib(index)} MiB; overflow ${metric(page, `vitrace_cardinality_overflow_total{column="route"}`)}`);
  tally.check(`${name}: all beacons are answered`, result.acked + result.refused === count && result.other === 0, JSON.stringify({ ...result, acked_per_second: 0 }));
  tally.check(`${name}: /metrics has as many lines as before`, page.split("\n").length === lines, `${page.split("\n").length} and ${lines}`);
  tally.check(`${name}: the log stays within its bytes`, metric(page, "vitrace_log_bytes") <= 256 * MIB);
  checkMemory(page, Math.max(...samples));
  tally.check(`${name}: the daemon ends in order`, (await daemon.stop()) === "");
  daemon.remove();
}

const scale = long ? 50 : 1;
const sections = {
  surge: ["ten times the capacity", surge],
  slow: ["slow clients", slow],
  idle: ["idle connections", idle],
  addresses: ["spoofed addresses", () => flood("addresses", { count: 20_000 * scale, resources: 1, place: (name) => name, forwarded: 1, more: "trusted_proxies: 1\n" })],
  sessions: ["sessions", () => flood("sessions", { count: 100_000 * scale, resources: 0, place: (name) => name, forwarded: 0 })],
  urls: ["distinct URLs", () => flood("URLs", { count: 5_000 * scale, resources: 38, perBeacon: 40, forwarded: 0, place: () => "U00000000" })],
};
for (const [name, [title, section]] of Object.entries(sections)) {
  if (only && !only.includes(name)) continue;
  const began = performance.now();
  await tally.section(title, section);
  console.log(`     ${((performance.now() - began) / 1000).toFixed(0)} s`);
}
tally.close();
