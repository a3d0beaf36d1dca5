// `vitrace log check|dump|repair` as an operator uses them: on the released log of tests/golden (two damaged places, a torn
// tail), on what is repaired from it, and on that with one byte changed, anywhere. What is sound stays, byte for byte.
//
//   node tests/e2e/log_verbs.mjs path/to/vitrace
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const GOLDEN = "tests/golden/log/v1";
const FLIPS = 60; // spread over the file: two starts of the program each
const HEADER_BYTES = 4096; // two copies of which one is enough: FORMAT.md, 3

const binary = process.argv[2];
const work = mkdtempSync(join(tmpdir(), "vitrace-log."));
let passed = 0, failed = 0;
function check(sentence, good, detail = "") {
  good ? passed++ : failed++;
  if (!good) console.log(`FAIL ${sentence}: ${detail}`);
}

function log(...args) {
  const { status, signal, stdout, stderr } = spawnSync(binary, ["log", ...args], { encoding: "utf8", timeout: 60_000, maxBuffer: 1 << 26 });
  if (signal !== null || /ERROR: \w+Sanitizer|runtime error/.test(stderr)) check(`log ${args[0]} ends by itself`, false, `${signal} ${stderr.slice(0, 2000)}`);
  return { status, stdout, stderr };
}

function recordsOf(folder) {
  const { status, stdout } = log("dump", "--payload", folder);
  const lines = stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const records = lines.filter(({ type }) => type !== "damage").map(({ position, ...rest }) => JSON.stringify(rest));
  return { status, records, damages: lines.length - records.length };
}

const digestOf = (folder) => readdirSync(folder).sort()
  .reduce((hash, name) => hash.update(name).update(readFileSync(join(folder, name))), createHash("sha256")).digest("hex");

// `few` without changing the order is part of `many`.
function isInOrder(few, many) {
  let at = 0;
  for (const one of few) {
    at = many.indexOf(one, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

const damaged = join(work, "damaged"), sound = join(work, "sound");
function checkGolden() {
  cpSync(GOLDEN, damaged, { recursive: true });
  const before = digestOf(damaged), told = log("check", damaged), all = recordsOf(damaged);
  check("check finds the damage of the golden log", told.status === 1 && /^damaged: 6 segments, 28 records, damage in 2 places, 896 bytes$/m.test(told.stdout), told.stdout);
  check("check says where it is", (told.stdout.match(/^damage at position \d+: the next sound record may begin at \d+ \(\d+ bytes\)$/gm) ?? []).length === 2, told.stdout);
  check("check tells of the unfinished write", told.stdout.includes("an unfinished write of 5 bytes at the end"), told.stdout);
  check("check and dump agree", all.status === 1 && all.records.length === 28 && all.damages === 2, JSON.stringify([all.status, all.records.length, all.damages]));
  const mended = log("repair", damaged, sound);
  check("repair copies what is sound", mended.status === 0 && mended.stdout.includes("copied 28 records") && mended.stdout.includes("left out 2 places, 896 bytes"), mended.stdout);
  check("the log that was repaired from is as it was", digestOf(damaged) === before);
  return all.records;
}

function checkRepaired(records) {
  const before = digestOf(sound), told = log("check", sound), all = recordsOf(sound);
  check("the new log is sound", told.status === 0 && /^sound: 1 segments, 28 records, damage in 0 places, 0 bytes$/m.test(told.stdout), told.stdout);
  check("and holds the same records, in order, with time and peer", all.status === 0 && all.records.join("\n") === records.join("\n"));
  check("check and dump change nothing", digestOf(sound) === before);
}

function checkRefusals() {
  const refuses = (sentence, status, text, ...args) => {
    const told = log(...args);
    check(sentence, told.status === status && told.stderr.includes(text), `${told.status} ${told.stderr}`);
  };
  const empty = join(work, "empty"), before = digestOf(sound);
  mkdirSync(empty);
  check("an empty folder is a sound log of nothing", log("check", empty).stdout.startsWith("sound: 0 segments, 0 records"));
  refuses("a folder that is not there", 1, "cannot open", "check", join(work, "nowhere"));
  refuses("no verb", 2, "usage:");
  refuses("no folder", 2, "usage:", "check");
  refuses("an unknown verb", 2, "unknown verb", "chek", sound);
  refuses("repair without a new folder", 2, "two folders", "repair", sound);
  refuses("repair into a folder with a log", 1, "has a log already", "repair", damaged, sound);
  refuses("repair into itself", 1, "lock", "repair", sound, sound);
  check("what was refused has changed nothing", digestOf(sound) === before);
}

function endOf(folder) {
  const { stdout } = log("check", folder);
  return HEADER_BYTES + Number(/positions 0 to (\d+)/.exec(stdout)?.[1]);
}

function flip(name, at, bit) {
  const folder = join(work, "flipped");
  rmSync(folder, { recursive: true, force: true });
  cpSync(sound, folder, { recursive: true });
  const bytes = readFileSync(join(folder, name));
  bytes[at] ^= 1 << bit;
  writeFileSync(join(folder, name), bytes);
  return folder;
}

function checkFlip(name, at, bit, records) {
  const folder = flip(name, at, bit), fresh = join(work, "fresh");
  const told = log("check", folder), all = recordsOf(folder);
  check(`byte ${at}: what is still read is what was written`, isInOrder(all.records, records) && all.records.length >= records.length - 1, `${all.records.length} records`);
  check(`byte ${at}: what is lost is told`, all.records.length === records.length || told.status === 1 || told.stdout.includes("an unfinished write"), told.stdout);
  if (at % 5 !== 0) return;
  rmSync(fresh, { recursive: true, force: true });
  const mended = log("repair", folder, fresh);
  check(`byte ${at}: repair saves the rest`, mended.status === 0 && recordsOf(fresh).records.join("\n") === all.records.join("\n"), mended.stderr);
}

function checkFlips(records) {
  const [name] = readdirSync(sound), end = endOf(sound);
  for (const at of [0, 8, 16, 31, 60]) checkFlip(name, at, 0, records); // the header's first copy
  for (let i = 0; i < FLIPS; i++) checkFlip(name, HEADER_BYTES + Math.floor(((end - HEADER_BYTES) * i) / FLIPS), i % 8, records);
}

function checkCuts(records) {
  const [name] = readdirSync(sound), end = endOf(sound);
  for (const back of [1, 7, 8, 40, 48, 49, 100, 1000]) {
    const folder = join(work, "cut");
    rmSync(folder, { recursive: true, force: true });
    cpSync(sound, folder, { recursive: true });
    truncateSync(join(folder, name), end - back);
    const told = log("check", folder), all = recordsOf(folder);
    check(`cut ${back} bytes before its end: a beginning is left, and it is sound`, told.status === 0 && records.join("\n").startsWith(all.records.join("\n")) && all.records.length < records.length, told.stdout);
  }
}

const records = checkGolden();
checkRepaired(records);
checkRefusals();
checkFlips(records);
checkCuts(records);
rmSync(work, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
