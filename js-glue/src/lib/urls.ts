/** Where the SDK's files and the collector are. All absolute, so that entries can be compared with them. */
import type { Options } from "../types";

export interface Urls {
  readonly beacon: string;
  /** How the files that others load begin: `…/vitrace-`. */
  readonly part: string;
  readonly wasm: string;
  readonly workerUrl: string | undefined;
}

/** `files`: folder of the SDK's files when known (the script tag's own), else they are taken from the collector. */
export function urlsOf({ endpoint, wasmUrl, workerUrl }: Options, files?: string): Urls {
  // A URL object is the browser's slow way to say what mostly stands there already.
  const absolute = (url: string) => (/^https?:\/\/[a-z\d.-]+(\/|$)/.test(url) ? url : new URL(url, document.baseURI).href);
  const base = absolute(endpoint ?? "/").replace(/\/+$/, "") + "/v1/";
  const sdk = `${files ?? base}vitrace`;
  return {
    beacon: base + "beacon",
    part: sdk + "-",
    wasm: wasmUrl ? absolute(wasmUrl) : sdk + ".wasm",
    workerUrl: workerUrl && absolute(workerUrl),
  };
}

/** Requests of the SDK itself: they are its overhead, not the page's work. */
export function ownRequests(urls: Urls): (name: string) => boolean {
  const own = Object.values(urls).filter(Boolean) as string[];
  return (name) => own.some((url) => name.startsWith(url));
}
