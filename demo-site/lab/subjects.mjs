// What is compared. One row a subject: how it is bundled and what a page downloads for it.
// `entry`: a file of subjects/ that esbuild bundles into one minified IIFE. `files`: taken as they are.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const sdk = (name) => here(`../../js-glue/dist/${name}`);

export const SUBJECTS = [
  { name: "none", label: "nothing", about: "the same page without any SDK" },
  { name: "bare", label: "bare observer", entry: "bare.mjs", about: "observes every entry type, reads every field, drops it" },
  { name: "bare-beacon", label: "JSON + sendBeacon", entry: "bare_beacon.mjs", about: "every entry as the browser's own JSON, 50 a beacon" },
  { name: "vitrace", label: "Vitrace", files: { script: sdk("vitrace.js"), later: [sdk("vitrace-bridge.js"), sdk("vitrace.wasm")] }, about: "all entries, vitals, beacons" },
  { name: "web-vitals", label: "web-vitals", entry: "web_vitals.mjs", about: "five metrics, one beacon each" },
  { name: "boomerang", label: "boomerang", entry: "boomerang.mjs", about: "documented plug-ins, one beacon at load and at unload" },
  { name: "elastic", label: "Elastic RUM", entry: "elastic.mjs", about: "page load and route transactions, every one sampled" },
  { name: "sentry", label: "Sentry", entry: "sentry.mjs", about: "browserTracingIntegration, every trace sampled" },
  { name: "otel", label: "OpenTelemetry web", entry: "otel.mjs", about: "fetch and XHR instrumentation, BatchSpanProcessor, OTLP/JSON" },
  { name: "datadog", label: "Datadog RUM", entry: "datadog.mjs", about: "resources, long tasks and interactions, no replay" },
  { name: "faro", label: "Grafana Faro", entry: "faro.mjs", about: "web instrumentations with its tracing package" },
];

export const folder = here("dist");
export const source = (entry) => here(`subjects/${entry}`);
export const bundle = (name) => here(`dist/${name}.js`);
export const sizesFile = here("dist/sizes.json");

// The file that the page's tag names; undefined for "none".
export function scriptOf(subject) {
  if (subject.files) return subject.files.script;
  return subject.entry ? bundle(subject.name) : undefined;
}
export const filesOf = (subject) => [scriptOf(subject), ...(subject.files?.later ?? [])].filter((path) => path && existsSync(path));
