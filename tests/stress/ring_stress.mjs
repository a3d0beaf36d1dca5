// The ring between two threads of a real browser: the core seals as fast as the worker lets it, while the exit path races
// the worker for every segment. On an isolated page the worker reads the ring in place, elsewhere it gets copies.
// Usage: node tests/stress/ring_stress.mjs [--seals 20000] [--seed N]     Closes with "N passed, N failed".
// Needs js-glue/dist, and the packages of js-glue and demo-site.
import http from "node:http";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { withBrowser } from "../../demo-site/check/browser.mjs";

const { build } = createRequire(new URL("../../js-glue/package.json", import.meta.url))("esbuild");
const { values } = parseArgs({ options: { seals: { type: "string", default: "20000" }, seed: { type: "string", default: "1" } } });
const SECONDS = 30;
const ISOLATION = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

const file = (path) => new URL(path, import.meta.url).pathname;
async function bundled(name) {
  const { outputFiles } = await build({ entryPoints: [file(name)], bundle: true, format: "iife", target: "es2022", write: false,
    define: { VITRACE_VERSION: '"0.0.0-test"' } });
  return outputFiles[0].contents;
}
const files = {
  "/page.js": ["text/javascript", await bundled("page.js")],
  "/worker.js": ["text/javascript", await bundled("worker.js")],
  "/vitrace.wasm": ["application/wasm", readFileSync(file("../../js-glue/dist/vitrace.wasm"))],
};
const PAGE = '<!doctype html><title>ring</title><link rel="icon" href="data:,"><script src="/page.js"></script>';

const server = http.createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://stress");
  const [type, body] = files[pathname] ?? ["text/html", PAGE];
  const isolated = searchParams.has("isolated") || pathname === "/worker.js";
  response.writeHead(200, { "Content-Type": type, ...(isolated ? ISOLATION : {}) }).end(body);
}).listen(0, "127.0.0.1");
const base = await new Promise((resolve) => server.once("listening", () => resolve(`http://127.0.0.1:${server.address().port}`)));

let passed = 0, failed = 0;
function check(sentence, good, detail = "") {
  good ? passed++ : failed++;
  console.log(`${good ? "ok  " : "FAIL"} ${sentence}${good ? "" : `: ${detail}`}`);
}

function judge(name, wanted, run) {
  const { known, worker, exits, counts } = run;
  const sealed = new Set(known), sent = new Set([...worker, ...exits]);
  const lost = known.filter((one) => !sent.has(one)), torn = [...sent].filter((one) => !sealed.has(one));
  console.log(`     ${name}: ${run.all} sealed, ${worker.length} by the worker, ${exits.length} by the exit path in ${run.leaves} leaves, ` +
    `${counts.retries} put back, ring full ${run.full} times`);
  check(`${name}: the transport is ${wanted}`, run.transport === wanted && run.isolated === (wanted === "shared"), run.transport);
  check(`${name}: every seal was seen`, run.all >= +values.seals && sealed.size === run.all && run.sealed === run.all, `${run.all}, ${sealed.size}, ${run.sealed}`);
  check(`${name}: nothing is torn`, torn.length === 0, `${torn.length} unknown bodies`);
  check(`${name}: nothing is lost`, lost.length === 0, `${lost.length} were never sent`);
  check(`${name}: every segment is released once`, counts.sent === run.all && counts.abandoned === 0, JSON.stringify(counts));
  check(`${name}: the worker sends nothing twice`, new Set(worker).size === worker.length, `${worker.length - new Set(worker).size} twice`);
  check(`${name}: both sides had their share`, worker.length > run.all / 10 && exits.length > run.leaves / 10 && (wanted === "transfer" || counts.retries > 0));
  check(`${name}: the core refused no call, and nothing was swallowed`, run.refusedCalls === 0 && run.swallowed === 0, `${run.refusedCalls}, ${run.swallowed}`);
}

await withBrowser(async (browser) => {
  for (const [name, query, wanted] of [["isolated", "?isolated", "shared"], ["not isolated", "", "transfer"]]) {
    const page = await browser.newPage();
    await page.goto(base + "/" + query);
    const run = await page.evaluate((options) => window.stress(options), { seals: +values.seals, seconds: SECONDS, seed: +values.seed });
    judge(name, wanted, run);
    await page.close();
  }
});
server.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
