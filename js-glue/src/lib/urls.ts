/** Where the SDK's files and the collector are. All absolute, so that entries can be compared with them. */
import type { Options } from "../types";

export interface Urls {
  readonly beacon: string;
  /** What the URLs of all files that are loaded later begin with. */
  readonly files: string;
  readonly bridge: string;
  readonly trace: string;
  readonly wasm: string;
  /** The script of the worker: where the tag is used, the bridge itself, which the browser already has. */
  readonly sdkWorker: string;
  readonly workerUrl: string | undefined;
}

/** `folder`: of the SDK's files when known (the script tag's own), else they are taken from the collector. */
export function urlsOf({ endpoint, wasmUrl, workerUrl }: Options, folder?: string): Urls {
  const absolute = (url: string) => new URL(url, document.baseURI).href;
  const base = absolute(endpoint ?? "/").replace(/\/+$/, "") + "/v1/";
  const sdk = `${folder ?? base}vitrace`;
  const files = sdk + "-";
  const bridge = files + "bridge.js";
  return {
    beacon: `${base}beacon`,
    files,
    bridge,
    trace: files + "trace.js",
    wasm: wasmUrl ? absolute(wasmUrl) : `${sdk}.wasm`,
    sdkWorker: folder ? bridge : `${base}vitrace-worker.js`,
    workerUrl: workerUrl && absolute(workerUrl),
  };
}

/** Requests of the SDK itself: they are its overhead, not the page's work. */
export function ownRequests(urls: Urls): (name: string) => boolean {
  const own = Object.values(urls).filter(Boolean) as string[];
  return (name) => own.some((url) => name.startsWith(url));
}
