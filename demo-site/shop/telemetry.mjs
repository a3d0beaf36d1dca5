// Loaded before a service (node --import): the official OpenTelemetry Node SDK, OTLP over HTTP with protobuf.
// The endpoint, sampler and the rest follow the standard OTEL_* variables; only what the demo needs is set here.
import { createRequire } from "node:module";
import { NodeSDK, tracing } from "@opentelemetry/sdk-node";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http";

// "localhost" may mean ::1 first; the collector listens on IPv4 by default.
process.env.OTEL_EXPORTER_OTLP_ENDPOINT ??= "http://127.0.0.1:4318";
process.env.OTEL_METRICS_EXPORTER ??= "none";
process.env.OTEL_LOGS_EXPORTER ??= "none";

// Paths that belong to the demo's own machinery (readiness, the ledger): they must not appear in the data they prove.
const isMachinery = (url = "") => url.startsWith("/_");

const sdk = new NodeSDK({
  serviceName: process.env.OTEL_SERVICE_NAME ?? "shop",
  autoDetectResources: false,
  // Half a second instead of the usual five: in a demo somebody is looking.
  spanProcessors: [new tracing.BatchSpanProcessor(new OTLPTraceExporter(), { scheduledDelayMillis: 500 })],
  instrumentations: [new HttpInstrumentation({ ignoreIncomingRequestHook: (request) => isMachinery(request.url) })],
});
sdk.start();
// The instrumentation patches node:http when somebody requires it. ES modules that import the default export get the
// same, patched object; named imports would not, so the services never use them.
createRequire(import.meta.url)("node:http");

export const stopTelemetry = () => sdk.shutdown().catch((error) => console.error(`telemetry: ${error.message}`));
