// The lab's server: the page, one frame a run, what the workload asks for, and a receiver that counts what SDKs send.
// Cross-origin isolated, because clocks of other pages step by 0.1 ms. Environment: LAB_PORT (8082).
import { readFileSync } from "node:fs";
import http from "node:http";
import { cpus } from "node:os";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { endOnSignal, listen } from "../shop/process_life.mjs";
import { SUBJECTS, filesOf, scriptOf, sizesFile } from "./subjects.mjs";

const page = (name) => readFileSync(fileURLToPath(new URL(`page/${name}`, import.meta.url)));
const TYPES = { ".js": "text/javascript", ".css": "text/css", ".html": "text/html; charset=utf-8", ".wasm": "application/wasm", ".json": "application/json" };
const ISOLATION = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp", "Cross-Origin-Resource-Policy": "same-origin" };
const RUNS_MAX = 1000; // a run is a few counters; the oldest go first
const BODY_MAX = 4 << 20;

function builtSizes() {
  const { versions, subjects: sizes } = JSON.parse(readFileSync(sizesFile));
  return { versions, sizes };
}

const runs = new Map();
function runOf(id) {
  if (!runs.has(id)) runs.set(id, { requests: 0, bytes: 0 });
  if (runs.size > RUNS_MAX) runs.delete(runs.keys().next().value);
  return runs.get(id);
}

function reply(response, status, type, body = "", headers = {}) {
  response.writeHead(status, { "Content-Type": type, "Cache-Control": "no-store", ...ISOLATION, ...headers });
  response.end(body);
}
const replyFile = (response, name, body) => reply(response, 200, TYPES[extname(name)] ?? "application/octet-stream", body);

// One run's document: nothing but the subject's tag and the workload.
function frame(subject, run, seed) {
  const script = scriptOf(subject);
  const attributes = subject.name === "vitrace" ? ` data-app="lab" data-endpoint="${"/lab/sink/" + run}"` : "";
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${subject.name}</title><link rel="icon" href="data:,">
<script>globalThis.LAB_SINK=location.origin+"/lab/sink/${run}";globalThis.LAB={seed:${seed}}</script><script src="/lab/probe.js"></script>
${script ? `<script src="/lab/subject/${subject.name}.js"${attributes}></script>` : ""}
<style>body{margin:0;font:14px sans-serif}#box{height:40px;background:#cde}img{width:8px;height:8px}</style></head>
<body><h1>${subject.label}</h1><div id="box"></div><p id="text">A page.</p><script src="/lab/workload.js"></script></body></html>`;
}

function receive(request, response, run) {
  const state = runOf(run);
  state.requests++;
  let seen = 0;
  request.on("data", (chunk) => {
    state.bytes += chunk.length;
    seen += chunk.length;
    if (seen > BODY_MAX) request.destroy();
  });
  request.on("end", () => reply(response, request.url.endsWith("/v1/beacon") || request.method === "GET" ? 204 : 200, "application/json", request.method === "POST" && !request.url.endsWith("/v1/beacon") ? "{}" : ""));
}

const routes = [
  [/^\/(?:lab\/?)?$/, (_, response) => replyFile(response, "lab.html", page("lab.html"))],
  [/^\/lab\/(lab\.js|lab\.css|run\.js|statistics\.js|probe\.js|workload\.js)$/, (_, response, [, name]) => replyFile(response, name, page(name))],
  [/^\/lab\/subjects$/, (_, response) => reply(response, 200, TYPES[".json"], JSON.stringify({
    ...builtSizes(), subjects: SUBJECTS.map(({ name, label, about }) => ({ name, label, about })),
    machine: `${cpus().length} x ${cpus()[0].model}`, date: new Date().toISOString(),
  }))],
  // Vitrace takes its second half, which is its worker too, and its Wasm from where its script came from.
  [/^\/lab\/subject\/(vitrace-bridge\.js|vitrace\.wasm)$/, (_, response, [, name]) => {
    const path = SUBJECTS.flatMap(filesOf).find((one) => one.endsWith(`/${name}`));
    return path ? replyFile(response, name, readFileSync(path)) : reply(response, 404, "text/plain");
  }],
  [/^\/lab\/subject\/([\w-]+)\.js$/, (_, response, [, name]) => {
    const subject = SUBJECTS.find((one) => one.name === name);
    return subject && scriptOf(subject) ? replyFile(response, "x.js", readFileSync(scriptOf(subject))) : reply(response, 404, "text/plain");
  }],
  [/^\/lab\/frame\/([\w-]+)\/(\w+)\/(\d+)$/, (_, response, [, name, run, seed]) => {
    const subject = SUBJECTS.find((one) => one.name === name);
    return subject ? reply(response, 200, TYPES[".html"], frame(subject, run, seed)) : reply(response, 404, "text/plain");
  }],
  [/^\/lab\/echo\/\d+$/, (_, response) => reply(response, 200, TYPES[".json"], JSON.stringify({ ok: true, text: "x".repeat(400) }))],
  [/^\/lab\/counts\/(\w+)$/, (_, response, [, run]) => reply(response, 200, TYPES[".json"], JSON.stringify(runOf(run)))],
  [/^\/lab\/sink\/(\w+)/, (request, response, [, run]) => receive(request, response, run)],
];

const server = http.createServer((request, response) => {
  const path = new URL(request.url, "http://lab").pathname;
  for (const [pattern, handle] of routes) {
    const match = pattern.exec(path);
    if (match) return handle(request, response, match);
  }
  reply(response, 404, "text/plain", "no such page\n");
});
const port = await listen(server, Number(process.env.LAB_PORT ?? 8082));
endOnSignal([server]);
console.log(`lab: http://127.0.0.1:${port}/lab`);
