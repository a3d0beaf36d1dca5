/** Where the SDK's files and the collector are. All absolute, so that entries can be compared with them. */
import type { Options } from "../types";

export interface Urls {
  readonly beacon: string;
  readonly wasm: string;
  readonly sdkWorker: string;
  readonly workerUrl: string | undefined;
}

/** `files`: folder of the SDK's files when known (the script tag's own), else they are taken from the collector. */
export function urlsOf(options: Options, files?: string): Urls {
  const absolute = (url: string) => new URL(url, document.baseURI).href;
  const endpoint = absolute(options.endpoint ?? "/").replace(/\/+$/, "");
  const folder = files ?? `${endpoint}/v1/`;
  return {
    beacon: `${endpoint}/v1/beacon`,
    wasm: options.wasmUrl ? absolute(options.wasmUrl) : `${folder}vitrace.wasm`,
    sdkWorker: `${folder}vitrace-worker.js`,
    workerUrl: options.workerUrl && absolute(options.workerUrl),
  };
}
