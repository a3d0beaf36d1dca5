// Records what the official exporter sends, as golden files: node tests/e2e/otlp_golden.mjs OUT.json
// Needs the packages of demo-site (npm ci there). The ids and times are fixed, so a new recording differs only with the SDK.
import { createRequire } from "node:module";
import { createServer } from "node:http";
import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const need = createRequire(new URL("../../demo-site/package.json", import.meta.url));
const sdk = createRequire(need.resolve("@opentelemetry/sdk-node"));
const { OTLPTraceExporter } = sdk("@opentelemetry/exporter-trace-otlp-http");
const { resourceFromAttributes } = sdk("@opentelemetry/resources");

const bodies = [];
const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  bodies.push({ type: request.headers["content-type"], body: Buffer.concat(chunks) });
  response.writeHead(200, { "content-type": "application/json" }).end("{}");
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

const traceId = "0af7651916cd43dd8448eb211c80319c";
const resource = resourceFromAttributes({ "service.name": "shop-api", "process.pid": 42, "host.arch": "amd64" });
const span = (spanId, parent, name, kind, ms, attributes, more = {}) => ({
  name, kind, resource, attributes,
  spanContext: () => ({ traceId, spanId, traceFlags: 1 }),
  parentSpanContext: parent === undefined ? undefined : { traceId, spanId: parent, traceFlags: 1 },
  startTime: [1750000000, ms * 1e6], endTime: [1750000000, (ms + 12) * 1e6], duration: [0, 12e6], ended: true,
  status: { code: 0 }, links: [], events: [],
  instrumentationScope: { name: "http", version: "1" },
  droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0, ...more,
});
const spans = [
  span("00f067aa0ba90201", undefined, "GET /cart/:id", 1, 0, {
    "http.request.method": "GET", "http.route": "/cart/:id", "url.path": "/cart/7", "http.response.status_code": 200,
    "app.ratio": 0.25, "app.cached": false, "app.items": ["a", "b", 3, 1.5],
  }),
  span("00f067aa0ba90202", "00f067aa0ba90201", "SELECT \u20ac \"cart\"", 2, 3, {
    "db.system.name": "postgresql", "db.query.text": "SELECT *\nFROM cart WHERE id = $1",
  }, { status: { code: 2, message: "timeout" }, events: [{ name: "exception", time: [1750000000, 4e6], attributes: {} }] }),
  span("00f067aa0ba90203", "00f067aa0ba90201", "GET", 2, 5, { "peer.service": "stock", "http.request.method": "GET" },
    { links: [{ context: { traceId, spanId: "00f067aa0ba90202", traceFlags: 1 }, attributes: {} }] }),
];
const exporter = new OTLPTraceExporter({ url: `http://127.0.0.1:${server.address().port}/v1/traces` });
await new Promise((resolve, reject) => exporter.export(spans, ({ code, error }) => (code === 0 ? resolve() : reject(error))));
await exporter.shutdown();
server.close();
if (bodies.length !== 1 || bodies[0].type !== "application/json") throw new Error("not one JSON request");
writeFileSync(process.argv[2], bodies[0].body);
writeFileSync(`${process.argv[2]}.gz`, gzipSync(bodies[0].body));
