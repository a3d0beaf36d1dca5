// Every interleaving of the ring's model (wasm/ring/ring.pml), by Spin; then the same with one seeded mistake each, which
// must be found, and with one place each where the model must get to.
// Usage: node tests/model/ring.mjs [name of a case]     Closes with "N passed, N failed".
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const MODEL = readFileSync("wasm/ring/ring.pml", "utf8");
const FOLDER = "build/model";
/** Twice what the whole model needs. */
const MEMORY_MB_MAX = 2000;
const SECONDS_MAX = 240;
/** The longest way through the model is 1,000 steps; a mistake may make it longer. */
const DEPTH_MAX = 100_000;

const REACHED = /skip \/\* reached: (.*?) \*\/|-> at\+\+ \/\* reached: (a lost compare-and-swap) \*\//g;

const MISTAKES = [
  { name: "publish before write", of: "            table[(next - 1) % SEGMENTS].state = SEALED\n        };",
    to: `            at = table[(next - 1) % SEGMENTS].offset + open_size - 1; cells[at] = 0;
            table[(next - 1) % SEGMENTS].state = SEALED
        };
        cells[at] = seals + 1;` },
  { name: "a load and a store where a compare-and-swap must be", of: "    d_step {\n        won = (table[at].state == SEALED);",
    to: "    won = (table[at].state == SEALED);\n    d_step {" },
  { name: "release before copy", of: "atomic { copy_end(at, seq); deliver(seq) };\n                release(at, seq);",
    to: "deliver(seq);\n                release(at, seq);\n                copy_end(at, seq);" },
  { name: "reuse of a segment that is taken", of: "table[first % SEGMENTS].state == ACKED ->", to: "table[first % SEGMENTS].state >= TAKEN ->" },
  { name: "a wrap over what is in use", of: "room = (limit <= tail -> 0 : NONE)", to: "room = 0" },
  { name: "head where the segment might have ended", of: "head = table[(next - 1) % SEGMENTS].offset + open_size;",
    to: "head = table[(next - 1) % SEGMENTS].offset + (open_size > 1 -> 1 : open_size);" },
  { name: "no look for a free descriptor", of: ":: next - first == SEGMENTS -> skip", to: ":: false -> skip" },
  { name: "the loss counted after the segment is handed back", of: "    if\n    :: given_up[id] -> abandoned++\n    :: else\n    fi;\n    d_step {",
    to: "    d_step {", more: ["        owners[at]--;\n        table[at].state = ACKED\n    }",
      "        owners[at]--;\n        table[at].state = ACKED\n    };\n    if\n    :: given_up[id] -> abandoned++\n    :: else\n    fi"] },
  { name: "the exit path releases what the worker holds", of: ":: !won -> skip /* reached", to: ":: !won -> release(at, table[at].seq) /* reached" },
  { name: "the exit path leaves what a dead worker holds", of: "table[at].state == SEALED || table[at].state == TAKEN -> send(at)", to: "table[at].state == SEALED -> send(at)" },
  { name: "the position to sleep on read after the scan", of: "            at = 0;\n            if\n            :: last", to: "            at = 0; seen = sealed;\n            if\n            :: last" },
  { name: "a seal that wakes nobody", of: "        wake()\n    fi", to: "        skip\n    fi" },
  { name: "a consumer that takes what is held", flags: ["-DHOLDS"], of: ":: at < SEGMENTS && table[at].state == SEALED ->",
    to: ":: at < SEGMENTS && (table[at].state == SEALED || table[at].state == HELD) ->",
    more: ["won = (table[at].state == SEALED);", "won = (table[at].state == SEALED || table[at].state == HELD);"] },
  { name: "a seal before what is held", flags: ["-DHOLDS"], of: "held_is_on = false; if", to: "held_is_on = false; goto sealing; if", more: ["sealed = next; wake() :: else fi }", "sealed = next; wake() :: else fi; sealing: skip }"] },
  { name: "transfer: released when posted, not when answered", flags: ["-DTRANSFER"], of: "to_worker ! at, table[at].seq", to: "to_worker ! at, table[at].seq; release(at, table[at].seq)" },
];

/** Indentation does not count. */
function must(text, of, to) {
  const pieces = text.split(new RegExp(of.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\s+/g, "\\s+")));
  if (pieces.length !== 2) throw new Error(`the model has ${pieces.length - 1} places like: ${of}`);
  return pieces.join(to);
}

/** Returns { errors, states, seconds } of an exhaustive run; throws when it was none. */
function verify(name, model, flags = []) {
  const folder = join(FOLDER, name.replace(/\W+/g, "_"));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "ring.pml"), model);
  const run = (program, args) => execFileSync(program, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  run("spin", [...flags, "-a", "ring.pml"]);
  run("cc", ["-O2", "-w", "-DSAFETY", "-DCOLLAPSE", `-DMEMLIM=${MEMORY_MB_MAX}`, "-o", "pan", "pan.c"]);
  const started = performance.now();
  const { stdout } = spawnSync("./pan", [`-m${DEPTH_MAX}`], { cwd: folder, encoding: "utf8", timeout: SECONDS_MAX * 1000, maxBuffer: 1 << 24 });
  const errors = /errors: (\d+)/.exec(stdout), states = /(\d+) states, stored/.exec(stdout);
  if (!errors || /search not completed|max search depth too small/i.test(stdout.replace(/Search not completed\n(?=[^]*errors: [1-9])/i, "")))
    throw new Error(`${name}: not exhaustive\n${stdout.slice(0, 2000)}`);
  const why = /pan:\d+: (.*)/.exec(stdout)?.[1];
  return { errors: +errors[1], why, states: +states?.[1], seconds: (performance.now() - started) / 1000 };
}

const cases = [];
const add = (sentence, model, flags, isGood) => cases.push({ sentence, model, flags, isGood });
const none = ({ errors }) => errors === 0, some = ({ errors, why }) => errors > 0 && /assertion violated|invalid end state/.test(why);
add("the ring holds in every interleaving", MODEL, [], none);
add("the ring holds with a page that records before it sends", MODEL, ["-DHOLDS"], none);
add("the ring holds with a page that takes for its worker", MODEL, ["-DTRANSFER"], none);
for (const { name, of, to, flags, more } of MISTAKES) {
  const wrong = must(MODEL, of, to);
  add(`found: ${name}`, more ? must(wrong, ...more) : wrong, flags, some);
}
for (const match of MODEL.matchAll(REACHED)) {
  add(`reached: ${match[1] ?? match[2]}`, must(MODEL, match[0], match[0].replace("skip", "assert(false)")
    .replace("at++", "at++; assert(false)")), match[1] === "a drop" ? ["-DHOLDS"] : [], some);
}

let passed = 0, failed = 0;
for (const { sentence, model, flags, isGood } of cases) {
  if (process.argv[2] && !sentence.includes(process.argv[2])) continue;
  const result = verify(sentence, model, flags);
  isGood(result) ? passed++ : failed++;
  console.log(`${isGood(result) ? "ok  " : "FAIL"} ${sentence}: ${result.states} states, ${result.seconds.toFixed(1)} s${result.why ? `; ${result.why}` : ""}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
