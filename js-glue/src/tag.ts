/**
 * The script tag, and all that a page loads before its load event. Options are the tag's data attributes; the collector
 * is where the script came from:
 *   <script async crossorigin src="https://rum.example/v1/vitrace.js" data-app="shop"></script>
 */
import type { PartScript } from "./hand_over";
import { urlsOf } from "./lib/urls";
import type { Options } from "./types";
import { watch } from "./watch";

declare const VITRACE_BRIDGE_SRI: string;
declare const VITRACE_TRACE_SRI: string;
declare const VITRACE_WASM_SRI: string;

/** Attribute by attribute: the browser's `dataset` takes half a millisecond to set up. */
function optionsOf(tag: HTMLScriptElement): Options {
  const text = (name: string) => tag.getAttribute("data-" + name) ?? undefined;
  const number = (name: string) => (text(name) ? +text(name)! : undefined);
  return {
    app: text("app") ?? "",
    endpoint: text("endpoint") ?? new URL(tag.src).origin,
    release: text("release"),
    environment: text("environment"),
    route: text("route"),
    workerUrl: text("worker-url"),
    wasmUrl: text("wasm-url"),
    transport: text("transport") as Options["transport"],
    trace: text("trace")?.split(/[\s,]+/).filter(Boolean),
    flushIntervalMs: number("flush-interval-ms"),
    offline: text("offline") !== undefined,
    budget: { mainThreadMsPerMinute: number("budget-ms") },
  };
}

function start(): void {
  const page = window as unknown as { vitrace?: object };
  const tag = document.currentScript as HTMLScriptElement;
  // A second tag on the page changes nothing.
  if (page.vitrace || !tag?.src) return;
  const options = optionsOf(tag);
  const urls = urlsOf(options, tag.src.replace(/[^/]*$/, ""));
  // Who pins this file pins what it loads. Others get whatever is deployed together, also in the minutes of an update.
  const pin = (integrity: string) => (tag.integrity ? integrity : "");
  const load = (url: string, integrity: string, fetchPriority: "low" | "high", got?: PartScript["got"]) => {
    const script: PartScript = document.createElement("script");
    script.vitrace = self;
    script.got = got;
    script.crossOrigin = "anonymous";
    script.integrity = pin(integrity);
    script.nonce = tag.nonce;
    script.fetchPriority = fetchPriority;
    // Without the tracing of calls there is still everything else.
    script.onerror = () => url === urls.bridge && self.guard.disable("cannot load the bridge");
    self.useScript(url, (allowed) => (script.src = allowed));
    document.head.append(script);
  };
  const self = watch(options, urls, () => load(urls.bridge, VITRACE_BRIDGE_SRI, "low"), pin(VITRACE_WASM_SRI));
  self.load = (part, integrity, got) => load(urls[part], integrity, "low", got);
  if (options.trace?.length) load(urls.trace, VITRACE_TRACE_SRI, "high");
  page.vitrace = self.client;
}

try {
  start();
} catch {
  // The page comes first.
}
