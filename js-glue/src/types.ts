/** Options of `init()`. Only `app` and, in the npm package, `endpoint` are needed. */
export interface Options {
  /** Name of the application as the collector knows it. */
  app: string;
  /** Origin of the collector, e.g. `https://rum.example`. The script tag defaults to its own origin. */
  endpoint?: string | undefined;
  release?: string | undefined;
  environment?: string | undefined;
  /** Route template of this page, or how to get it from a URL. Default: ids in the path become `:id`. */
  route?: string | ((url: string) => string) | undefined;
  /** A worker script on the page's own origin; then no `blob:` is needed in the page's CSP. */
  workerUrl?: string | undefined;
  /** Where vitrace.wasm is. Default: beside the SDK script, or `${endpoint}/v1/vitrace.wasm`. */
  wasmUrl?: string | undefined;
  /** Origins whose fetch and XHR calls get a `traceparent` header; "same-origin" is allowed. Default: none. */
  trace?: string[] | undefined;
  /** Forces a transport. Default: the best one that works on this page. */
  transport?: "shared" | "transfer" | "main" | undefined;
  /** Greatest age of collected entries before they are sent, in milliseconds. Default 10,000. */
  flushIntervalMs?: number | undefined;
  /** Main-thread time that the SDK may use, in milliseconds, before it sheds work. Default 100. */
  budgetMs?: number | undefined;
}

export type AttributeValue = string | number | boolean;
export type Attributes = Record<string, AttributeValue>;

export type State = "waiting" | "running" | "stopped" | "disabled";

/** What the SDK knows about itself. Vitals that have no value are absent. */
export interface Stats {
  state: State;
  /** Why the SDK is disabled, or the first error that it swallowed. */
  reason: string;
  transport: "" | "shared" | "transfer" | "main";
  mainThreadMs: number;
  /** Exceptions caught inside the SDK. */
  swallowed: number;
  queued: number;
  entriesSeen: number;
  entriesEncoded: number;
  bytesEncoded: number;
  segmentsSealed: number;
  segmentsSent: number;
  segmentsAbandoned: number;
  retries: number;
  lost: Record<string, number>;
  vitals: { lcp?: number; inp?: number; cls?: number; fcp?: number; ttfb?: number };
}

export interface Client {
  /** Records something that happened now. At most 16 attributes. */
  event(name: string, attributes?: Attributes): void;
  /** Records an error that the application caught. */
  error(error: unknown): void;
  /** Seals what has been collected and wakes the sender. */
  flush(): void;
  stats(): Stats;
  /** Sends what is left, removes every listener and restores what was wrapped. */
  stop(): void;
}
