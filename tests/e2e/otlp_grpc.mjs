// The official exporters against the daemon: gRPC and HTTP with protobuf and JSON, plain and gzipped, one client over many batches, partial
// success as they report it, an oversized batch, and a drain. Usage: node tests/e2e/otlp_grpc.mjs [path of vitrace]     Closes with "N passed, N failed".
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
const proto = sdk("@opentelemetry/exporter-trace-otlp-proto");
const { diag, DiagLogLevel } = createRequire(sdk.resolve("@opentelemetry/exporter-trace-otlp-grpc"))("@opentelemetry/api");
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
const url = `${addresses.otlp_http}/v1/traces`;
const json = new http.OTLPTraceExporter({ url });
const jsonGzip = new http.OTLPTraceExporter({ url, compression: CompressionAlgorithm.GZIP });
const protobuf = new proto.OTLPTraceExporter({ url });
const protobufGzip = new proto.OTLPTraceExporter({ url, compression: CompressionAlgorithm.GZIP });
const all = { "gRPC": plain, "gRPC, gzip": gzip, "JSON": json, "JSON, gzip": jsonGzip, "protobuf": protobuf, "protobuf, gzip": protobufGzip };
await expectStored("20 batches of 100 spans over gRPC at once are stored", plain, 1);
await expectStored("and gzipped", gzip, 100001);
await expectStored("and as JSON over HTTP", json, 200001);
await expectStored("and as gzipped JSON", jsonGzip, 600001);
await expectStored("and as protobuf over HTTP", protobuf, 700001);
await expectStored("and as gzipped protobuf", protobufGzip, 800001);

// A span without a trace id is refused, those beside it are stored, and the exporter says so in the collector's own words.
const warnings = [];
diag.setLogger({ error() {}, warn: (...words) => warnings.push(words.join(" ")), info() {}, debug() {}, verbose() {} }, DiagLogLevel.WARN);
let rejected = 0;
for (const [index, [name, exporter]] of Object.entries(all).entries()) {
  const batch = spans(900001 + 1000 * index, 10);
  for (const at of [3, 7]) batch[at] = { ...batch[at], spanContext: () => ({ traceId: "0".repeat(32), spanId: hex(at, 16), traceFlags: 1 }) };
  warnings.length = 0;
  const { code } = await send(exporter, batch);
  expected += 8;
  rejected += 2;
  const stored = await metric("vitrace_spans_accepted_total"), refused = await metric("vitrace_spans_rejected_total");
  check(`of ten spans, two without a trace id, eight are stored (${name})`, code === 0 && stored === expected && refused === rejected, `${stored} of ${expected}, ${refused} of ${rejected}`);
  check(`and the exporter warns of a partial success (${name})`, warnings.length === 1 && /"rejectedSpans":"?2"?/.test(warnings[0]) && warnings[0].includes("2 of 10 spans refused"), warnings.join("; "));
}
diag.disable();

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
await Promise.all(Object.values(all).map((exporter) => exporter.shutdown()));
rmSync(folder, { recursive: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
