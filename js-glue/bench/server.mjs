// One page a subject, what its workload asks for, and a receiver that counts what SDKs send. All on one loopback port,
// so that nothing is cross-origin by accident; every file of an SDK lies under /sdk/, which is how profiles tell its
// frames from the page's.
import { readFileSync } from "node:fs";
import http from "node:http";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { filesOf, scriptOf } from "../../demo-site/lab/subjects.mjs";

const TYPES = { ".js": "text/javascript", ".html": "text/html; charset=utf-8", ".wasm": "application/wasm", ".json": "application/json", ".gif": "image/gif" };
const GIF = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64");
// Only these pages need a clock finer than 0.1 ms.
const ISOLATION = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
const BLOCK_MS_MAX = 1000;
const BODY_MAX = 4 << 20;
const workload = readFileSync(fileURLToPath(new URL("workload.js", import.meta.url)));

// The real answers are not needed here: what a collector does is measured elsewhere.
function page(subject, run) {
  const script = scriptOf(subject);
  const more = subject.name === "vitrace" ? ` data-app="bench" data-endpoint="/sink/${run}"` : "";
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${subject.name}</title><link rel="icon" href="data:,">
<script>globalThis.LAB_SINK=location.origin+"/sink/${run}"</script>
${script ? `<script src="/sdk/${subject.name}/${basename(script)}"${more}></script>` : ""}
<style>body{margin:0;font:14px sans-serif}#box{height:40px;background:#cde}img{width:8px;height:8px}</style></head>
<body><h1>A page</h1><div id="box"></div><button id="button">press</button><input id="input" aria-label="text"><p id="text">Some text.</p>
<script src="/workload.js"></script></body></html>`;
}

export async function startServer(subjects) {
  const sinks = new Map();
  const sinkOf = (run) => sinks.get(run) ?? sinks.set(run, { requests: 0, bytes: 0, gzipBytes: 0 }).get(run);
  const reply = (response, status, type, body = "", headers = {}) => {
    response.writeHead(status, { "content-type": type, "cache-control": "no-store", "server-timing": "app;dur=1.5", ...headers });
    response.end(body);
  };
  const receive = (request, response, run) => {
    const chunks = [];
    let seen = 0;
    request.on("data", (chunk) => (seen += chunk.length) > BODY_MAX ? request.destroy() : chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks), sink = sinkOf(run);
      sink.requests++;
      sink.bytes += body.length;
      // Already compressed bytes do not get smaller: what is left is what the wire would carry at best.
      sink.gzipBytes += Math.min(body.length, gzipSync(body).length);
      reply(response, request.url.endsWith("/v1/beacon") ? 204 : 200, TYPES[".json"], request.url.endsWith("/v1/beacon") ? "" : "{}");
    });
  };
  const routes = [
    [/^\/page\/([\w-]+)\/(\w+)$/, (_, response, [, name, run]) => reply(response, 200, TYPES[".html"], page(subjects.find((one) => one.name === name), run))],
    [/^\/workload\.js$/, (_, response) => reply(response, 200, TYPES[".js"], workload)],
    [/^\/sdk\/([\w-]+)\/([\w.-]+)$/, (_, response, [, name, file]) => {
      const known = filesOf(subjects.find((one) => one.name === name));
      const path = known.find((one) => basename(one) === file) ?? join(dirname(known[0]), file);
      reply(response, 200, TYPES[extname(file)] ?? "application/octet-stream", readFileSync(path));
    }],
    [/^\/api\/catalog\/items\/\d+\/details$/, (_, response) => reply(response, 200, TYPES[".json"], JSON.stringify({ ok: true, text: "x".repeat(400) }))],
    [/^\/image\/\d+\.gif$/, (_, response) => reply(response, 200, TYPES[".gif"], GIF)],
    [/^\/block\/(\d+)$/, (_, response, [, ms]) => void setTimeout(() => reply(response, 200, "text/plain", "ok"), Math.min(Number(ms), BLOCK_MS_MAX))],
    [/^\/entries\.(html|js|wasm)$/, (_, response, [, kind]) => reply(response, 200, TYPES["." + kind], entryFiles[kind], ISOLATION)],
    [/^\/sink\/(\w+)/, (request, response, [, run]) => receive(request, response, run)],
  ];
  const entryFiles = { html: `<!doctype html><meta charset="utf-8"><title>entries</title><link rel="icon" href="data:,"><script src="/entries.js"></script>` };
  const server = http.createServer((request, response) => {
    const path = new URL(request.url, "http://bench").pathname;
    for (const [pattern, handle] of routes) {
      const match = pattern.exec(path);
      if (!match) continue;
      try {
        return handle(request, response, match);
      } catch (error) {
        return reply(response, 404, "text/plain", `${error.message}\n`);
      }
    }
    reply(response, 404, "text/plain", "no such page\n");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    sinkOf,
    serveEntries: (files) => Object.assign(entryFiles, files),
    close: () => { server.closeAllConnections(); server.close(); },
  };
}
