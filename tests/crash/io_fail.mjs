// The whole daemon with one system call that fails, on the real file system and real sockets (strace injects the error): its
// log, SQLite's files, its sockets, its threads. It starts or says why not, refuses what it cannot keep, works again, and what
// it acknowledged is in the log (daemon_script.mjs).
//
//   node tests/crash/io_fail.mjs build/asan/vitrace [--lives 60 | --every] [--seed N] [--only CALL:ERROR:N]
//
// A first life counts the calls; each further one fails the N-th of a kind, with one of the errors that it can have.
// Not epoll_ctl, and no error of write(), which is mostly a loop's eventfd: libuv ends the process when these fail, as it
// does when its table of descriptors cannot grow.
//
// A build with a sanitizer, which has no seccomp filter: strace makes a call fail by giving it the number -1, and that is
// none of the filter's.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { randomOf } from "../support/random.mjs";
import { Life } from "./daemon_script.mjs";

const binary = process.argv[2];
const option = (name, preset) => { const at = process.argv.indexOf(`--${name}`); return at < 0 ? preset : process.argv[at + 1]; };
const random = randomOf(Number(option("seed", 20262))), JOBS = 2;
const ERRORS = {
  openat: ["EMFILE", "EIO", "ENOSPC"], close: ["EIO"], read: ["EIO", "EINTR"], write: ["EINTR"],
  pread64: ["EIO", "EINTR"], pwrite64: ["EIO", "ENOSPC", "EINTR"], pwritev: ["EIO", "ENOSPC", "EINTR"], writev: ["EPIPE", "EINTR", "EAGAIN"],
  fdatasync: ["EIO", "ENOSPC"], fsync: ["EIO"], fallocate: ["ENOSPC", "EIO", "EOPNOTSUPP"], ftruncate: ["EIO"],
  unlink: ["EIO"], unlinkat: ["EIO"], rename: ["EIO"], renameat: ["EIO"], renameat2: ["EIO"], mkdirat: ["ENOSPC"], mkdir: ["ENOSPC"],
  statfs: ["EIO"], fstatfs: ["EIO"], newfstatat: ["EIO"], fstat: ["EIO"], fcntl: ["EAGAIN", "ENOLCK"], flock: ["EIO"],
  accept4: ["EMFILE", "ENFILE", "ENOMEM", "ECONNABORTED", "EINTR"], epoll_wait: ["EINTR"], epoll_pwait: ["EINTR"],
  socket: ["EMFILE"], bind: ["EADDRINUSE"], listen: ["EADDRINUSE"], setsockopt: ["ENOMEM"], clone3: ["EAGAIN"],
  getrandom: ["EINTR"], shutdown: ["ENOTCONN"], recvfrom: ["ECONNRESET"],
};
const CALLS = Object.keys(ERRORS).join(",");

// -D: the daemon is our child and strace is beside it, so signals reach the daemon.
async function live(inject, raw) {
  const life = new Life(binary);
  const trace = join(life.folder, "trace");
  const what = inject === undefined ? ["-e", `trace=${CALLS}`] : ["-e", `trace=${inject.call}`, "-e", `inject=${inject.call}:error=${inject.error}:when=${inject.n}`];
  life.environment = { ASAN_OPTIONS: "detect_leaks=0" }; // its leak check cannot run under a tracer
  life.wrap = ["strace", "-D", "-f", "-qq", "-o", trace, ...what];
  try {
    life.raw = await life.run(binary, raw);
  } catch (error) {
    life.problems.push(error.stack);
    life.process?.kill("SIGKILL");
  }
  life.trace = existsSync(trace) ? readFileSync(trace, "utf8").split("\n") : [];
  life.remove();
  return life;
}

function skip(why) {
  console.log(`skipped: ${why}\n0 passed, 0 failed`);
  process.exit(0);
}
const tried = spawnSync("strace", ["-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=none", "true"], { encoding: "utf8" });
if (tried.status !== 0) skip(`strace cannot trace here (${tried.error?.message ?? tried.stderr.trim()}); it is in the package strace`);

const plain = await live();
const counts = {}, loader = {}; // of calls; what the program loader does before main is not ours
let isMain = false;
for (const line of plain.trace) {
  const call = /^\d+\s+(\w+)\(/.exec(line)?.[1];
  isMain ||= line.includes("vitrace.yaml");
  if (!(call in ERRORS)) continue;
  counts[call] = (counts[call] ?? 0) + 1;
  if (!isMain) loader[call] = counts[call];
}
const firstOf = (call) => (loader[call] ?? 0) + 1;
let passed = 0, failed = 0, reached = 0, refusedStarts = 0, refusals = 0;
if (plain.problems.length > 0 || plain.refused > 0 || !(counts.fdatasync > 0)) {
  failed++;
  console.log(`without a failure: ${plain.problems.join("; ")} (${plain.refused} refused) ${JSON.stringify(counts)}\n${plain.said}`);
} else passed++;

// Calls turn about, so that the one accept is not lost among a thousand reads.
function chosen() {
  const only = option("only");
  if (only !== undefined) { const [call, error, n] = only.split(":"); return [{ call, error, n: Number(n) }]; }
  const all = Object.entries(counts).flatMap(([call, count]) => Array.from({ length: count - firstOf(call) + 1 }, (_, i) => ({ call, n: firstOf(call) + i })));
  if (process.argv.includes("--every")) return all.map((one) => ({ ...one, error: ERRORS[one.call][Math.floor(random() * ERRORS[one.call].length)] }));
  const calls = Object.keys(counts).filter((call) => counts[call] >= firstOf(call));
  return Array.from({ length: Number(option("lives", 60)) }, (_, i) => {
    const call = calls[i % calls.length];
    return { call, n: firstOf(call) + Math.floor(random() * (counts[call] - firstOf(call) + 1)), error: ERRORS[call][Math.floor(random() * ERRORS[call].length)] };
  });
}

const queue = failed === 0 ? chosen() : [];
await Promise.all(Array.from({ length: JOBS }, async () => {
  for (let inject = queue.shift(); inject !== undefined; inject = queue.shift()) {
    const life = await live(inject, plain.raw);
    reached += life.trace.some((line) => line.includes("(INJECTED)")) ? 1 : 0;
    refusedStarts += life.listen === undefined ? 1 : 0;
    refusals += life.refused;
    if (life.problems.length === 0) { passed++; continue; }
    failed++;
    const at = life.trace.findIndex((line) => line.includes("(INJECTED)"));
    console.log(`FAIL ${inject.call}:${inject.error}:${inject.n}: ${life.problems.join("\n  ")}\n  ${life.trace.slice(Math.max(0, at), at + 1).join("\n  ")}`);
  }
}));
console.log(Object.entries(counts).map(([call, count]) => `${call} ${count}`).join(", "));
console.log(`${reached} calls failed, one a life: ${refusedStarts} starts refused, ${refusals} requests refused`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
