// Style that a machine can hold: include directions, file limits, banned calls, names, generated files, stray words.
// Usage: node tests/tidy/tidy.mjs [path of abi_dump]     Closes with "N passed, N failed".
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";

const tracked = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { encoding: "utf8" })
  .split("\n").filter((path) => path !== "" && existsSync(path));
const read = (path) => readFileSync(path, "utf8");
const isC = (path) => /\.[ch]$/.test(path);
const inProduct = (path) => /^(proto|wasm|collector)\//.test(path);

let passed = 0;
let failed = 0;
function check(sentence, problems) {
  if (problems.length === 0) {
    passed++;
    console.log(`ok   ${sentence}`);
    return;
  }
  failed++;
  console.log(`FAIL ${sentence}`);
  for (const problem of problems.slice(0, 20)) console.log(`       ${problem}`);
}

// The half page of the README, as data: what a folder may include. "a/" is everything in a folder, "a/b.h" one header.
// A stage's public header is <stage>/<stage>.h; base, os and proto/wire are vocabularies with several.
const wire = ["proto/wire/", "vitrace/v1/"];
const allowed = {
  "proto/wire": wire,
  "wasm/abi": ["wasm/abi/", "wasm/ring/ring_layout.h", "wasm/core/core.h", ...wire],
  "wasm/ring": ["wasm/ring/", ...wire],
  "wasm/core": ["wasm/core/", "wasm/ring/ring.h", "wasm/abi/inbox.h", ...wire],
  "wasm/replay": ["wasm/replay/", "wasm/core/core.h", "wasm/ring/ring.h", "wasm/abi/inbox.h", ...wire],
  "wasm/pack": ["wasm/pack/", ...wire],
  wasm: ["wasm/core/core.h", "wasm/pack/deflate.h", "wasm/ring/ring.h", "wasm/abi/inbox.h", "wasm/abi/exports.h", "wasm/replay/replay.h", ...wire],
  "collector/base": ["collector/base/", ...wire],
  "collector/os": ["collector/os/"],
  "collector/inflate": ["collector/inflate/", "collector/base/", ...wire],
  "collector/raw": ["collector/raw/", "collector/base/", "wasm/core/core.h", "wasm/ring/ring.h", "wasm/abi/inbox.h", ...wire],
  "collector/stream": ["collector/stream/", "collector/base/", ...wire],
  "collector/h2": ["collector/h2/", ...wire],
  "collector/net": ["collector/net/", "collector/stream/stream.h", "collector/h2/h2.h", "collector/base/", ...wire],
  "collector/auth": ["collector/auth/", "collector/net/net.h", "collector/base/", ...wire],
  "collector/health": ["collector/health/", "collector/net/net.h", "collector/base/", ...wire],
  "collector/sandbox": ["collector/sandbox/"],
  "collector/ingest": ["collector/ingest/", "collector/net/net.h", "collector/inflate/inflate.h", "collector/raw/raw.h", "collector/base/", ...wire],
  "collector/grpc": ["collector/grpc/", "collector/stream/stream.h", "collector/h2/h2.h", "collector/base/", ...wire],
  "collector/otlp": ["collector/otlp/", "collector/net/net.h", "collector/grpc/grpc.h", "collector/inflate/inflate.h", "collector/base/",
    "collector/os/os.h", ...wire],
  "collector/log": ["collector/log/", "collector/base/", "collector/os/", ...wire],
  "collector/join": ["collector/join/", "collector/base/", ...wire],
  "collector/store": ["collector/store/", "collector/base/", ...wire],
  "collector/sinks": ["collector/sinks/", "collector/log/log.h", "collector/otlp/otlp.h", "collector/join/join.h",
    "collector/join/call_facts.h", "collector/store/store.h", "collector/base/", "collector/os/os.h", ...wire],
  "collector/query": ["collector/query/", "collector/log/log.h", "collector/otlp/otlp.h", "collector/join/join.h",
    "collector/join/call_facts.h", "collector/join/clock_axis.h", "collector/join/clock_offset.h", "wasm/core/vitals.h", "collector/store/store.h", "collector/base/", ...wire],
  "collector/api": ["collector/api/", "collector/query/query.h", "collector/net/net.h", "collector/base/", ...wire],
  "collector/dashboard": ["collector/dashboard/", "collector/net/net.h", "collector/base/", ...wire],
  "collector/assets": ["collector/assets/", "collector/net/net.h", "collector/base/", ...wire],
};
const directions = [];
for (const path of tracked.filter((p) => isC(p) && inProduct(p))) {
  const rules = allowed[dirname(path)];
  if (rules === undefined) continue; // collector/*.c and collector/command: composition, they may see every stage
  for (const [, target] of read(path).matchAll(/^#include "([^"]+)"/gm)) {
    const fits = rules.some((rule) => (rule.endsWith("/") ? target.startsWith(rule) : target === rule));
    if (!fits) directions.push(`${path} includes ${target}`);
  }
}
check("source dependencies point one way", directions);

const compositionOnly = tracked.filter((p) => isC(p) && /^collector\/[^/]+\.[ch]$|^collector\/command\//.test(p));
const stages = ["ingest", "otlp", "log", "join", "store", "sinks", "query", "api"];
check("only app.c and the commands see more than one stage", compositionOnly.filter((path) => {
  const seen = stages.filter((stage) => read(path).includes(`#include "collector/${stage}/`));
  return seen.length > 2 && !/app(_\w+)?\.c$|command/.test(path);
}));

const code = tracked.filter((p) => /\.(c|h|ts|mjs|js|css)$/.test(p) && !/abi\.ts$|golden|corpus/.test(p));
check("no source file is over 600 lines", code
  .map((path) => [path, read(path).split("\n").length])
  .filter(([, lines]) => lines > 601).map(([path, lines]) => `${path}: ${lines} lines`));

const names = new Map();
for (const path of tracked.filter((p) => isC(p) && inProduct(p))) names.set(basename(path), [...(names.get(basename(path)) ?? []), path]);
check("file names are unique in the product", [...names.values()].filter((paths) => paths.length > 1).map((p) => p.join(" = ")));
check("no file is a dumping ground", tracked.filter((p) => isC(p) && /(^|[_/])(util|utils|misc|helpers?|common)\.[ch]$/.test(p)));

const banned = /\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|system|popen|alloca|atoi|atol|strncpy|rand|srand|tmpnam|mktemp)\s*\(/;
check("no banned call", tracked.filter((p) => isC(p) && inProduct(p)).flatMap((path) => read(path).split("\n")
  .map((line, i) => (banned.test(line.replace(/"(\\.|[^"\\])*"|\/\*.*?\*\/|^\s*\*.*$/g, "")) ? `${path}:${i + 1}: ${line.trim()}` : ""))
  .filter(Boolean)));

check("no include guard is missing", tracked.filter((p) => p.endsWith(".h") && inProduct(p) && !/^#ifndef \w+_H$/m.test(read(p))));

const textual = tracked.filter((p) => !/corpus|golden|\.(png|bin|wasm)$|^LICENSE$/.test(p));
const strayWords = [/\/(work|root)\//, /registry\.npm/, /deb\.debian/, new RegExp("resolved\": \"http")];
check("nothing names a registry host or a path of one machine", textual.filter((p) => p !== "tests/tidy/tidy.mjs")
  .flatMap((path) => strayWords.filter((word) => word.test(read(path))).map((word) => `${path}: ${word}`)));

check("no innerHTML in the dashboard", tracked.filter((p) => p.startsWith("collector/dashboard/") && p.endsWith(".js"))
  .filter((path) => /innerHTML|outerHTML|insertAdjacentHTML|document\.write/.test(read(path))));

const parts = tracked.flatMap((path) => /^js-glue\/src\/(\w+)_file\.ts$/.exec(path)?.[1] ?? []);
check("the collector serves every part of the SDK", parts.filter((name) => !read("collector/assets/assets.c").includes(`"/v1/vitrace-${name}.js"`)));

const abiDump = process.argv[2];
if (abiDump !== undefined) {
  const fresh = execFileSync(abiDump, { encoding: "utf8" });
  check("js-glue/src/abi.ts is what abi_dump prints", fresh === read("js-glue/src/abi.ts") ? [] : ["run: abi_dump > js-glue/src/abi.ts"]);
}

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
