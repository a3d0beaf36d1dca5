// kill -9 of the real daemon under load, again and again, then the audit: every beacon that was answered 204 is in the
// log exactly once, byte for byte; nothing is there twice, and nothing that nobody sent.
//
//   node tests/crash/kill_audit.mjs BINARY [--cycles 300] [--generation 100] [--connections 24] [--seed N] [--keep]
//
// A cycle: start, load over keep-alive connections, SIGKILL after 50 to 300 ms (one in ten already while it starts). Half
// of what had no answer is sent again in the next cycle, as browsers do: the first copy may be on disk.
//
// A generation: so many cycles over one data folder. In its middle the log is read with `vitrace log dump`; at its end the
// daemon starts once more and stops cleanly, and the log is read again and checked. Then folder and ledger begin anew, so
// that 10,000 cycles need no more memory and disk than 100. Closes with "N passed, N failed".
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const option = (name, preset) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? preset : Number(process.argv[at + 1]);
};
const binary = process.argv[2];
const cycles = option("cycles", 300);
const generation = option("generation", 100);
const connections = option("connections", 24);
let seed = option("seed", 20261) >>> 0;
let folder;

const random = () => { // mulberry32: a failure can be run again by its seed
  seed = (seed + 0x6d2b79f5) >>> 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};

const varint = (n) => { const out = []; do { out.push((n & 127) | (n > 127 ? 128 : 0)); n = Math.floor(n / 128); } while (n > 0); return out; };
const bytes = (field, body) => Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(body.length)]), body]);
const number = (field, value) => Buffer.from([...varint(field << 3), ...varint(value)]);
const session = Buffer.alloc(16, 9);

// Beacon n: view n / 16, seq n % 16, and a text whose length and content depend on n.
function beacon(n) {
  const view = Buffer.alloc(16, 7);
  view.writeUInt32BE(Math.floor(n / 16) + 1, 0);
  const header = Buffer.concat([number(1, 1), bytes(2, Buffer.from("shop")), bytes(3, view), bytes(4, session),
    number(5, n % 16), number(6, 1764000000000000), bytes(10, Buffer.from("crash"))]);
  const text = Buffer.from(`${n}:`.padEnd(8 + (n * 7919) % 1000, String.fromCharCode(97 + n % 26)));
  const ledger = Buffer.concat([number(1, 1), number(2, 1), number(6, 1)]);
  return { key: `${view.toString("hex")}:${n % 16}`, body: Buffer.concat([bytes(1, header), bytes(2, text), bytes(15, ledger)]) };
}

const ledger = new Map(); // of this generation: key -> { hash, acked, n }
const again = [];         // of this generation: numbers to send again
let next = 0;             // never used twice, so that a beacon of another folder would be found out
const counts = { sent: 0, acked: 0, again: 0, refused: 0, killedInStart: 0 };
const startMs = [];

function take() {
  if (again.length > 0) { counts.again++; return again.shift(); }
  return next++;
}

function client(port, stop) {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  let under, received = "";
  const send = () => {
    if (stop.now) { socket.destroy(); return; }
    const n = take(), { key, body } = beacon(n);
    under = key;
    if (!ledger.has(key)) ledger.set(key, { hash: createHash("sha256").update(body).digest("hex"), acked: false, n });
    counts.sent++;
    socket.write(Buffer.concat([Buffer.from(
      `POST /v1/beacon HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n`), body]));
  };
  socket.setEncoding("latin1");
  socket.on("connect", send);
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    received += chunk;
    const end = received.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(received.slice(0, end))?.[1] ?? 0);
    if (received.length < end + 4 + length) return;
    const status = received.slice(9, 12);
    received = received.slice(end + 4 + length);
    if (status === "204") { const row = ledger.get(under); counts.acked += row.acked ? 0 : 1; row.acked = true; under = undefined; }
    else counts.refused++;
    send();
  });
  return new Promise((closed) => socket.on("close", closed)).then(() => { if (under !== undefined && random() < 0.5) again.push(ledger.get(under).n); });
}

const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));
function start() {
  const child = spawn(binary, ["serve", "--data", folder, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0"],
    { stdio: ["ignore", "ignore", "pipe"] });
  child.errors = "";
  child.stderr.on("data", (text) => { child.errors = (child.errors + text).slice(-4000); });
  child.gone = once(child, "exit");
  return child;
}

async function ready(child) {
  const began = performance.now();
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the daemon ended at its start: ${child.errors}`);
    try {
      const addresses = JSON.parse(readFileSync(join(folder, "addresses.json"), "utf8"));
      if (addresses.pid === child.pid) { startMs.push(performance.now() - began); return Number(new URL(addresses.listen).port); }
    } catch { /* not there yet */ }
    await sleep(2);
  }
}

async function cycle() {
  const child = start();
  if (random() < 0.1) {
    await sleep(random() * 60);
    counts.killedInStart++;
  } else {
    const stop = { now: false }, port = await ready(child);
    const clients = Array.from({ length: connections }, () => client(port, stop));
    await sleep(50 + random() * 250);
    child.kill("SIGKILL");
    stop.now = true;
    await Promise.all(clients);
  }
  child.kill("SIGKILL");
  await child.gone;
}

// What is wrong, as sentences; the first few of each kind.
async function audit() {
  const dump = spawn(binary, ["log", "dump", "--payload", folder], { stdio: ["ignore", "pipe", "inherit"] });
  const gone = once(dump, "exit");
  const seen = new Map();
  const problems = [];
  for await (const line of createInterface({ input: dump.stdout })) {
    const record = JSON.parse(line);
    if (record.type !== "beacon") { problems.push(`not a beacon: ${line.slice(0, 200)}`); continue; }
    const key = `${record.view_id}:${record.seq}`, row = ledger.get(key);
    if (row === undefined) problems.push(`nobody sent ${key} at ${record.position}`);
    else if (createHash("sha256").update(Buffer.from(record.payload, "hex")).digest("hex") !== row.hash) problems.push(`${key} at ${record.position} has other bytes`);
    if (seen.has(key)) problems.push(`${key} is stored twice: ${seen.get(key)} and ${record.position}`);
    seen.set(key, record.position);
  }
  const [status] = await gone;
  if (status !== 0) problems.push(`log dump ended with ${status}`);
  for (const [key, row] of ledger) if (row.acked && !seen.has(key)) problems.push(`ACKED AND LOST: ${key} (beacon ${row.n})`);
  return { problems, stored: seen.size };
}

const percentile = (list, p) => list.length === 0 ? 0 : [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * p))];
let failed = 0, stored = 0, done = 0;
const began = performance.now();

async function report(what) {
  const result = await audit();
  failed += result.problems.length;
  for (const problem of result.problems.slice(0, 20)) console.log(problem);
  console.log(`cycle ${done}, ${what}: ${counts.acked} acked in all, ${result.stored} stored here, ${result.problems.length} problems, ${Math.round((performance.now() - began) / 1000)} s`);
  return result;
}

// What the last kill left is recovered, and a clean stop leaves a sound log.
async function close() {
  const child = start();
  await ready(child);
  child.kill("SIGTERM");
  await child.gone;
  stored += (await report("clean stop")).stored;
  const check = spawnSync(binary, ["log", "check", folder], { encoding: "utf8" });
  if (check.status !== 0) { failed++; console.log(check.stdout + check.stderr); }
}

async function live(count) {
  folder = mkdtempSync(join(tmpdir(), "vitrace-kill-"));
  ledger.clear();
  again.length = 0;
  for (let i = 0; i < count && failed === 0; i++) {
    await cycle();
    done++;
    if (i + 1 === Math.floor(count / 2)) await report("killed");
  }
  await close();
  if (failed === 0 && !process.argv.includes("--keep")) rmSync(folder, { recursive: true });
  else console.log(`kept: ${folder}`);
}

try {
  while (done < cycles && failed === 0) await live(Math.min(generation, cycles - done));
} catch (error) {
  failed++;
  console.log(`${error.stack}\nkept: ${folder}`);
}
console.log(`${done} kills (${counts.killedInStart} while starting): ${counts.sent} sent, ${counts.again} of them again, ${counts.acked} acked, ${counts.refused} refused, ${stored} stored`);
console.log(`restart to ready: median ${percentile(startMs, 0.5).toFixed(0)} ms, p99 ${percentile(startMs, 0.99).toFixed(0)} ms, max ${percentile(startMs, 1).toFixed(0)} ms`);
console.log(failed === 0 ? `${done} passed, 0 failed` : `${done} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
