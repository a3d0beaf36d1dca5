// A kill at the n-th call of every system call that changes the disk, for every n until the run ends by itself, on the real
// file system (strace injects the signal as the call begins, so the call does not happen and the one before it did).
// After each kill the log is opened again, goes on, and is read: what was promised is there once, byte for byte.
//
//   node tests/crash/syscall_kill.mjs CRASH_WRITER VITRACE [--appends 60]
//
// Three scripts: a log that only grows; one of at most four segments, so that retention removes files on the way; and one
// that was killed in the middle of a commit before, so that the second kill hits the recovery.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [, , writer, vitrace] = process.argv;
const at = process.argv.indexOf("--appends");
const appends = at < 0 ? 60 : Number(process.argv[at + 1]);
const calls = ["mkdirat", "openat", "pwritev", "fdatasync", "fsync", "fallocate", "ftruncate", "renameat", "renameat2", "unlinkat", "close", "write"];
const environment = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" }; // its leak check cannot run under a tracer

function payload(id) {
  const out = Buffer.alloc(8 + (id * 37) % 600);
  for (let i = 0; i < out.length; i++) out[i] = i < 8 ? (i < 4 ? id >>> (8 * i) : 0) & 255 : (id * 131 + i * 7 + 1) & 255;
  return out.toString("hex");
}

const promised = (run) => run.stdout.split("\n").slice(0, -1).map(Number); // a line without its end was not written whole

// What is wrong with the log in `folder`, given what was promised; undefined = nothing.
function judge(folder, acked, ids, bounded) {
  const dump = spawnSync(vitrace, ["log", "dump", "--payload", folder], { encoding: "utf8", maxBuffer: 1 << 26 });
  if (dump.status !== 0) return `log dump: ${dump.status} ${dump.stderr.slice(0, 500)}${dump.stdout.slice(-300)}`;
  const seen = new Set();
  for (const line of dump.stdout.split("\n").slice(0, -1)) {
    const record = JSON.parse(line), id = Buffer.from(record.payload, "hex").readUInt32LE(0);
    if (id >= ids || record.payload !== payload(id)) return `position ${record.position} holds what nobody wrote`;
    if (seen.has(id)) return `record ${id} is there twice`;
    seen.add(id);
  }
  const oldest = bounded ? Math.min(...seen) : 0; // what retention removed is no loss
  const lost = acked.filter((id) => id >= oldest && !seen.has(id));
  if (lost.length > 0) return `promised and lost: ${lost}`;
  return bounded && seen.size < 6 ? `only ${seen.size} records are left of two segments or more` : undefined;
}

function killAt(call, n, ...writerArguments) {
  return spawnSync("strace", ["-f", "-qq", "-o", "/dev/null", "-e", `trace=${call}`, "-e", `inject=${call}:signal=KILL:when=${n}`,
    writer, ...writerArguments], { encoding: "utf8", env: environment });
}

function runOne(call, n, script) {
  const folder = mkdtempSync(join(tmpdir(), "vitrace-syscall-")), log = join(folder, "log"), bounded = script === "bounded";
  const limit = bounded ? ["4"] : [], acked = [];
  if (script === "recovering") acked.push(...promised(killAt("fdatasync", 6, log, "0", "20")));
  const killed = killAt(call, n, log, "500", String(script === "recovering" ? 4 : appends), ...limit);
  const over = killed.status === 0;
  acked.push(...promised(killed));
  const again = spawnSync(writer, [log, "1000", "12", ...limit], { encoding: "utf8", env: environment });
  let problem = over || killed.signal === "SIGKILL" || killed.status === 137 ? undefined : `ended with ${killed.status} ${killed.signal}: ${killed.stderr}`;
  if (again.status !== 0) problem ??= `the next start: ${again.stderr}`;
  acked.push(...promised(again));
  if (!promised(again).includes(1011)) problem ??= "the next start did not store what came";
  problem ??= existsSync(log) ? judge(log, acked, 1012, bounded) : "no log";
  if (problem === undefined) rmSync(folder, { recursive: true });
  else console.log(`kill at ${call} ${n}, ${script}: ${problem} (kept: ${folder})`);
  return { over, good: problem === undefined };
}

const tried = spawnSync("strace", ["-f", "-qq", "-o", "/dev/null", "-e", "trace=none", "true"], { encoding: "utf8" });
if (tried.status !== 0) {
  console.log(`skipped: strace cannot trace here (${tried.error?.message ?? tried.stderr.trim()}); it is in the package strace`);
  console.log("0 passed, 0 failed");
  process.exit(0);
}
let passed = 0, failed = 0;
const kills = {};
for (const script of ["growing", "bounded", "recovering"]) {
  for (const call of calls) {
    for (let n = 1; n <= 2000; n++) {
      const { over, good } = runOne(call, n, script);
      if (good) passed++; else failed++;
      if (over) break;
      kills[call] = (kills[call] ?? 0) + 1;
    }
  }
}
console.log(`kills by call: ${Object.entries(kills).map(([call, count]) => `${call} ${count}`).join(", ")}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
