// The whole daemon with one allocation that fails: ours, SQLite's, libuv's, nghttp2's, whoever's. It starts or says why not;
// what it cannot do for want of memory it refuses; it goes on; what it acknowledged is in the log (daemon_script.mjs).
//
//   node tests/crash/memory_fail.mjs build/asan/tests/crash/vitrace_starved build/asan/vitrace
//     [--places 60 | --every] [--seed N] [--only HASH[:N]]
//
// A first life, in which nothing fails, lists the places: chains of calls that end in an allocation (failing_memory.c). Then
// each life fails one place, at its first or at a later time: a seeded choice of places, or --every one.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { randomOf } from "../support/random.mjs";
import { Life } from "./daemon_script.mjs";

const [, , starved, vitrace] = process.argv;
const option = (name, preset) => { const at = process.argv.indexOf(`--${name}`); return at < 0 ? preset : process.argv[at + 1]; };
const random = randomOf(Number(option("seed", 20261))), JOBS = 2;

const environmentOf = (told, fail) => ({ VITRACE_MEMORY_TOLD: told, ...(fail && { VITRACE_MEMORY_FAIL: fail }) });
async function live(fail, raw) {
  const life = new Life(starved, { reason: /memory|thread/i });
  const told = join(life.folder, "told");
  life.environment = environmentOf(told, fail);
  try {
    life.raw = await life.run(vitrace, raw);
  } catch (error) {
    life.problems.push(error.stack);
    life.process?.kill("SIGKILL");
  }
  life.told = existsSync(told) ? readFileSync(told, "utf8").split("\n").filter(Boolean) : [];
  life.remove();
  return life;
}

const plain = await live(undefined, undefined);
const places = plain.told.map((line) => line.split(" ")[0]);
let passed = 0, failed = 0, reached = 0, abortedByOthers = 0, refusedStarts = 0, refusals = 0;
if (plain.problems.length > 0 || plain.refused > 0 || places.length < 500 || plain.raw.length === 0) {
  failed++;
  console.log(`without a failure: ${plain.problems.join("; ")} (${plain.refused} refused, ${places.length} places, ${plain.raw.length} raw)\n${plain.said}`);
} else passed++;

function chosen() {
  const only = option("only");
  if (only !== undefined) return [only];
  const shuffled = places.map((place) => [random(), place]).sort((a, b) => a[0] - b[0]).map(([, place]) => place);
  const picked = process.argv.includes("--every") ? shuffled : shuffled.slice(0, Number(option("places", 60)));
  return picked.map((place) => `${place}:${random() < 0.75 ? 1 : 2 + Math.floor(random() * 8)}`);
}

// The sanitizer's own run-time needs memory, and libuv ends the process when its table of descriptors cannot grow: nothing
// that was acknowledged is lost by it, and that is still judged.
function isNotOurs(life) {
  const callers = life.told.slice(life.told.indexOf("failed") + 1);
  const isLibuvTable = life.said.trimEnd().endsWith("}") && /libuv/.test(callers.slice(0, 3).join()) && life.process.signalCode === "SIGABRT";
  return !life.problems.some((problem) => /LOST|twice|other bytes/.test(problem)) && (isLibuvTable || /asan_rtl\.cpp.*CheckUnwind|CheckUnwind.*asan_rtl\.cpp/.test(life.said));
}

const queue = failed === 0 ? chosen() : [];
await Promise.all(Array.from({ length: JOBS }, async () => {
  for (let fail = queue.shift(); fail !== undefined; fail = queue.shift()) {
    const life = await live(fail, plain.raw);
    reached += life.told.includes("failed") ? 1 : 0;
    refusedStarts += life.listen === undefined ? 1 : 0;
    refusals += life.refused;
    if (life.problems.length === 0) { passed++; continue; }
    if (isNotOurs(life)) { passed++; abortedByOthers++; continue; }
    failed++;
    console.log(`FAIL allocation ${fail}: ${life.problems.join("\n  ")}\n${life.told.join("\n")}`);
  }
}));
console.log(`${places.length} places; ${reached} allocations failed, one a life: ${refusedStarts} starts refused, ${refusals} requests refused, ${abortedByOthers} ended by the sanitizer or libuv`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
