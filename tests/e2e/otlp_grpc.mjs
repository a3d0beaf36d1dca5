// The official exporters against the daemon: gRPC (plain and gzip) and HTTP/JSON, one client over many batches, an oversized
// batch, and a drain. Usage: node tests/e2e/otlp_grpc.mjs [path of vitrace]     Closes with "N passed, N failed".
// Needs the packages of demo-site (npm ci there).
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const binary = process.argv[2] ?? "build/release/vitrace";
const need = createRequire(new URL("../../demo-site/package.json", import.meta.url));
const sdk = createRequire(need.resolve("@opentelemetry/sdk-node"));
const grpc = sdk("@opentelemetry/exporter-trace-otlp-grpc");
const http = sdk("@opentelemetry/exporter-trace-otlp-http");
const { resourceFromAttributes } = sdk("@opentelemetry/resources");
const { CompressionAlgorithm } = createRequire(sdk.resolve("@opentelemetry/exporter-trace-otlp-grpc"))("@opentelemetry/otlp-exporter-base");

let passed = 0;
let failed = 0;
function check(sentence, good, detail = "") {
  good ? passed++ : failed++;
  console.log(`${good ? "ok  " : "FAIL"} ${sentence}${good ? "" : ` ${detail}`}`);
}

const folder = mkdtempSync(join(tmpdir(), "vitrace-grpc."));
const daemon = spawn(binary, ["serve", "--data", join(folder, "data"), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
  "--otlp-http", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0"], { stdio: "ignore" });
const ended = once(daemon, "exit");
const file = join(folder, "data", "addresses.json");
for (let i = 0; i < 100 && !existsSync(file); i++) await pause(100);
const addresses = JSON.parse(readFileSync(file, "utf8"));

const resource = resourceFromAttributes({ "service.name": "shop-api" });
const hex = (n, size) => n.toString(16).padStart(size, "0");
const spans = (first, count, attributes = {}) => Array.from({ length: count }, (_, i) => ({
  name: "GET /cart/:id", kind: 1, resource, attributes: { "http.request.method": "GET", "http.route": "/cart/:id", ...attributes },
  spanContext: () => ({ traceId: hex(first, 32), spanId: hex(first + i, 16), traceFlags: 1 }),
  startTime: [1750000000, 0], endTime: [1750000000, 5e6], duration: [0, 5e6], ended: true, status: { code: 0 }, links: [], events: [],
  instrumentationScope: { name: "http" }, droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0,
}));
const send = (exporter, batch) => new Promise((resolve) => exporter.export(batch, resolve));
async function metric(name) {
  const text = await (await fetch(`${addresses.admin}/metrics`)).text();
  return Number(text.match(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)`, "m"))?.[1]);
}

let expected = 0;
async function expectStored(sentence, exporter, first) {
  const results = await Promise.all(Array.from({ length: 20 }, (_, i) => send(exporter, spans(first + 1000 * i, 100))));
  expected += 2000;
  const accepted = await metric("vitrace_spans_accepted_total");
  check(sentence, results.every(({ code }) => code === 0) && accepted === expected,
    `${accepted} of ${expected}; ${results.find(({ error }) => error)?.error}`);
}

const plain = new grpc.OTLPTraceExporter({ url: addresses.otlp_grpc });
const gzip = new grpc.OTLPTraceExporter({ url: addresses.otlp_grpc, compression: CompressionAlgorithm.GZIP });
const json = new http.OTLPTraceExporter({ url: `${addresses.otlp_http}/v1/traces` });
await expectStored("20 batches of 100 spans over gRPC at once are stored", plain, 1);
await expectStored("and gzipped", gzip, 100001);
await expectStored("and as JSON over HTTP", json, 200001);

for (const [name, exporter] of Object.entries({ plain, gzip })) {
  const large = await send(exporter, spans(300001, 60, { "db.query.text": "x".repeat(100000) }));
  check(`a batch over 4 MiB is RESOURCE_EXHAUSTED (${name})`, large.code === 1 && large.error.code === 8, `${large.error}`);
}
await expectStored("the plain client goes on", plain, 400001);
await expectStored("the gzip client goes on", gzip, 500001);
check("no connection was lost to it", await metric("vitrace_connections") >= 2);

const before = performance.now();
daemon.kill("SIGTERM");
const [code] = await ended;
check("SIGTERM with open gRPC connections ends at once", code === 0 && performance.now() - before < 4000, `exit ${code}`);
await Promise.all([plain.shutdown(), gzip.shutdown(), json.shutdown()]);
rmSync(folder, { recursive: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
