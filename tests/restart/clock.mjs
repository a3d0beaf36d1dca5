// The wall clock is set while the daemon runs: a day and 30 years, forth and back (libfaketime; the monotonic clock stays).
// Every beacon is taken, an idle daemon stays idle, retention removes nothing; and after a restart under the right clock what
// is sent again is known, and everything is there once.
//
//   node tests/restart/clock.mjs BINARY
//
// Closes with "N passed, N failed"; without libfaketime it says so and passes nothing.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ledger } from "./ledger.mjs";

const binary = process.argv[2];
const library = ["x86_64", "aarch64"].map((cpu) => `/usr/lib/${cpu}-linux-gnu/faketime/libfaketimeMT.so.1`).find(existsSync);
if (library === undefined) {
  console.log("libfaketime is not installed: no clock was set\n0 passed, 0 failed");
  process.exit(0);
}
const JUMPS = { "+0": 0, "+1d": 1, "-1d": -1, "+30y": 10950, "-30y": -10950, "-0": 0 }; // in days, by libfaketime's years
const BEACONS = 60, BUSY_SHARE_MAX = 0.5;
const folder = mkdtempSync(join(tmpdir(), "vitrace-clock-")), clock = join(folder, "clock"), data = join(folder, "data");
const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));
const ledger = new Ledger();
let passed = 0, failed = 0;
const check = (good, text) => { if (good) passed++; else { failed++; console.log(text); } };

// Not under the sandbox: the library opens files of its own. Its "monotonic fix" is for a C library of long ago: with it, and
// a monotonic clock that is not faked, every timed wait of a thread ends at once.
function start(fake) {
  const addresses = ["listen", "otlp-http", "otlp-grpc", "admin"].flatMap((name) => [`--${name}`, "127.0.0.1:0"]);
  const child = spawn(binary, ["serve", "--data", data, "--sandbox", "off", "--drain-seconds", "1", ...addresses], {
    stdio: ["ignore", "ignore", "pipe"],
    env: fake ? { ...process.env, LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_NO_CACHE: "1", FAKETIME_DONT_FAKE_MONOTONIC: "1", FAKETIME_FORCE_MONOTONIC_FIX: "0" } : process.env });
  child.text = "";
  child.gone = once(child, "exit");
  child.stderr.on("data", (text) => { child.text += text; });
  return child;
}

async function ready(child) {
  for (let i = 0; i < 4000; i++, await sleep(5)) {
    const url = /"event":"ready","message":"listen (\S+) .* admin (\S+)"/.exec(child.text);
    if (url !== null) return { listen: url[1], admin: url[2] };
    if (child.exitCode !== null || child.signalCode !== null) break;
  }
  throw new Error(`the daemon did not start: ${child.text}`);
}

async function send({ listen }, messages) {
  const answers = await Promise.all(messages.map(({ body }) => fetch(`${listen}/v1/beacon`, { method: "POST", body })));
  for (const answer of answers) await answer.arrayBuffer();
  return { taken: answers.filter(({ status }) => status === 204).length, date: Date.parse(answers[0].headers.get("date")) };
}

const ticks = (pid) => readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1].split(" ").slice(11, 13).reduce((sum, n) => sum + Number(n), 0);
const removed = async ({ admin }) => (await (await fetch(`${admin}/metrics`)).text()).split("\n")
  .filter((line) => line.startsWith("vitrace_log_removed_segments_total")).reduce((sum, line) => sum + Number(line.split(" ").pop()), 0);

writeFileSync(clock, "+0");
let child = start(true);
const sent = [];
try {
  const urls = await ready(child);
  for (const [jump, days] of Object.entries(JUMPS)) {
    writeFileSync(clock, jump);
    const messages = Array.from({ length: BEACONS }, () => ledger.take("beacon"));
    sent.push(...messages);
    const { taken, date } = await send(urls, messages);
    check(taken === BEACONS, `clock ${jump}: not every beacon was taken`);
    check(Math.abs((date - Date.now()) / 86400000 - days) < 0.1, `clock ${jump}: it was not set: ${new Date(date).toISOString()}`);
    await sleep(200); // the index has read them
    const began = performance.now(), before = ticks(child.pid);
    await sleep(1000);
    const share = (ticks(child.pid) - before) * 10 / (performance.now() - began); // a tick is 10 ms
    check(share < BUSY_SHARE_MAX, `clock ${jump}: the idle daemon takes ${(100 * share).toFixed(0)} % of a processor`);
  }
  check(await removed(urls) === 0, "retention has removed segments");
  for (const message of sent) ledger.ack(message);
  child.kill("SIGTERM");
  await child.gone;
  child = start(false);
  check((await send(await ready(child), sent)).taken === sent.length, "what was sent again was not taken");
  child.kill("SIGTERM");
  await child.gone;
  const { problems } = await ledger.audit(binary, data);
  for (const problem of problems.slice(0, 10)) console.log(problem);
  check(problems.length === 0, `${problems.length} problems in the log`);
} catch (error) {
  check(false, String(error.stack));
  child.kill("SIGKILL");
}
if (failed === 0) rmSync(folder, { recursive: true });
else console.log(`kept: ${folder}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
