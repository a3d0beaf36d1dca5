/**
 * The script tag. Options are its data attributes; the collector is where the script came from:
 *   <script async crossorigin src="https://rum.example/v1/vitrace.js" data-app="shop"></script>
 */
import { Vitrace } from "./boot";
import type { Options } from "./types";

function optionsOf(script: HTMLScriptElement): Options {
  const { app, endpoint, release, environment, route, trace, workerUrl, wasmUrl, transport, flushIntervalMs } = script.dataset;
  return {
    app: app ?? "",
    endpoint: endpoint ?? new URL(script.src).origin,
    release,
    environment,
    route,
    workerUrl,
    wasmUrl,
    trace: trace?.split(/[\s,]+/).filter(Boolean),
    transport: transport as Options["transport"],
    flushIntervalMs: flushIntervalMs ? +flushIntervalMs : undefined,
  };
}

function start(): void {
  const page = window as unknown as { vitrace?: object };
  const script = document.currentScript;
  // A second tag on the page changes nothing.
  if (page.vitrace || !(script instanceof HTMLScriptElement) || !script.src) return;
  const client = new Vitrace(optionsOf(script), new URL(".", script.src).href);
  page.vitrace = {
    event: client.event.bind(client),
    error: client.error.bind(client),
    flush: client.flush.bind(client),
    stats: client.stats.bind(client),
    stop: client.stop.bind(client),
  };
}

try {
  start();
} catch {
  // The page comes first.
}
