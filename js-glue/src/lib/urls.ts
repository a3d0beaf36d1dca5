/** Where the SDK's files and the collector are. All absolute, so that entries can be compared with them. */
import type { Options } from "../types";

export interface Urls {
  readonly beacon: string;
  readonly bridge: string;
  readonly trace: string;
  /** For pages that refuse WebAssembly. */
  readonly raw: string;
  readonly offline: string;
  readonly wasm: string;
  /** The script of the worker: where the tag is used, the bridge itself, which the browser already has. */
  readonly sdkWorker: string;
  readonly workerUrl: string | undefined;
}

/** `files`: folder of the SDK's files when known (the script tag's own), else they are taken from the collector. */
export function urlsOf({ endpoint, wasmUrl, workerUrl }: Options, files?: string): Urls {
  const absolute = (url: string) => new URL(url, document.baseURI).href;
  const base = absolute(endpoint ?? "/").replace(/\/+$/, "") + "/v1/";
  const sdk = `${files ?? base}vitrace`;
  const bridge = `${sdk}-bridge.js`;
  return {
    beacon: `${base}beacon`,
    bridge,
    trace: `${sdk}-trace.js`,
    raw: `${sdk}-raw.js`,
    offline: `${sdk}-offline.js`,
    wasm: wasmUrl ? absolute(wasmUrl) : `${sdk}.wasm`,
    sdkWorker: files ? bridge : `${base}vitrace-worker.js`,
    workerUrl: workerUrl && absolute(workerUrl),
  };
}

/** Requests of the SDK itself: they are its overhead, not the page's work. */
export function ownRequests(urls: Urls): (name: string) => boolean {
  const own = Object.values(urls).filter(Boolean) as string[];
  return (name) => own.some((url) => name.startsWith(url));
}
