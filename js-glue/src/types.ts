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
  /** How injected trace contexts are flagged and what travels with them. Used only with `trace`. */
  tracing?: TracingOptions | undefined;
  /** Forces a transport. Default: the best one that works on this page. */
  transport?: TransportChoice | undefined;
  /** Greatest age of collected entries before they are sent, in milliseconds. Default 10,000. */
  flushIntervalMs?: number | undefined;
  /** What the SDK may cost, enforced by the core: over it, it sheds work step by step. */
  budget?: Budget | undefined;
  /** What makes a new view of a document that stays: default "auto". */
  views?: ViewsChoice | undefined;
  /** Route templates by pattern, first match wins, e.g. `[["/p/*", "/p/:id"]]`. Before the default rule for ids. */
  routes?: readonly (readonly [pattern: string, template: string])[] | undefined;
  /** Share of sessions whose data is sent, 0 to 1. Default 1. */
  sampleRate?: number | undefined;
  /** Sessions left out by `sampleRate` are sent after all when the page turns bad. Default true. */
  flightRecorder?: boolean | undefined;
  /** "required": nothing is loaded, encoded or stored before `consent(true)`. Default "granted". */
  consent?: "granted" | "required" | undefined;
  /** Keys of URL queries that may leave the page; values are still redacted. Default: none. */
  queryKeys?: readonly string[] | undefined;
  /** Where the session's id is kept: the tab, the origin (30 idle minutes, 4 hours), or nowhere. Default "tab". */
  session?: "tab" | "origin" | "none" | undefined;
  /** Keeps beacons that could not be sent in IndexedDB until the next page. Default false. */
  offline?: boolean | undefined;
  /** Shows what the SDK does in a panel on the page, as `?vitrace-debug` in its URL does. Default false. */
  debug?: boolean | undefined;
}

/** "worker" and "raw": the core runs in a worker of the page's own origin, or at the collector. For pages that refuse WebAssembly. */
export type TransportChoice = "shared" | "transfer" | "main" | "worker" | "raw";

/**
 * "soft-navigation": the browser's own entries; "route-change": history and the Navigation API; "load": only loads and
 * returns from the back/forward cache. "auto": soft navigations where the browser has them, route changes elsewhere.
 */
export type ViewsChoice = "auto" | "soft-navigation" | "route-change" | "load";

/** Absent = the default of that limit, Infinity = none. */
export interface Budget {
  /** Default 200 for the first minute, and that for every later one. */
  mainThreadMsPerMinute?: number | undefined;
  /** Mean over the view. Default 250. */
  usPerEntry?: number | undefined;
  /** Encoded bytes of a view. Default 2,000,000. */
  bytes?: number | undefined;
}

export interface TracingOptions {
  /** Share of injected traces that are flagged as sampled, 0 to 1. Default 1. */
  sampleRate?: number | undefined;
  /** Sent as `tracestate` beside every injected `traceparent`. */
  tracestate?: string | undefined;
  /** Sent as `baggage`, e.g. `{ "session.id": … }`. Only where listed origins allow the header. */
  baggage?: Record<string, string> | undefined;
  /** Tells equal calls in flight apart by a fragment on their URL; not on URLs that begin like one of `except`. Default false. */
  fragmentTag?: boolean | { readonly except: readonly string[] } | undefined;
}

export type AttributeValue = string | number | boolean;
export type Attributes = Record<string, AttributeValue>;

export type State = "waiting" | "running" | "stopped" | "disabled";

/** What the SDK knows about itself. Vitals that have no value are absent. */
export interface Stats {
  state: State;
  /** Why the SDK is disabled, or the first error that it swallowed. */
  reason: string;
  transport: "" | TransportChoice;
  mainThreadMs: number;
  /** Exceptions caught inside the SDK. */
  swallowed: number;
  queued: number;
  entriesSeen: number;
  entriesEncoded: number;
  bytesEncoded: number;
  segmentsSealed: number;
  /** Of those, the ones that the flight recorder gave up: the page was good for so long. */
  segmentsDropped: number;
  /** 0 = everything is kept, 1 = no resources, 2 = no frames, tasks and marks either, 3 = vitals only, 4 = off. */
  budgetLevel: number;
  segmentsSent: number;
  segmentsAbandoned: number;
  retries: number;
  lost: Record<string, number>;
  vitals: { lcp?: number; inp?: number; cls?: number; fcp?: number; ttfb?: number };
}

/** A beacon as it stands in the ring, decoded. */
export interface ExplainedBeacon {
  /** Of its view, hex. */
  readonly view: string;
  readonly seq: number;
  readonly bytes: number;
  /** "held": by the flight recorder; "dropped": it was not needed. */
  state: "waiting" | "sending" | "sent" | "held" | "dropped";
  /** Field names of `beacon.proto`; references are replaced by their text, ids are hex. */
  readonly content: Readonly<Record<string, unknown>>;
}

export interface Explanation {
  /** Oldest first, at most 64. */
  readonly beacons: readonly ExplainedBeacon[];
  /** How many older ones are not kept any more. */
  readonly forgotten: number;
  readonly stats: Stats;
}

export interface Client {
  /** Records something that happened now. At most 16 attributes. */
  event(name: string, attributes?: Attributes): void;
  /** Records a number of the application's own, e.g. `metric("cart.value", 42.5, { unit: "EUR" })`. */
  metric(name: string, value: number, more?: Attributes & { unit?: string }): void;
  /** Records an error that the application caught. */
  error(error: unknown): void;
  /** Names the route of the present view as its router knows it, e.g. `/p/:id`: with it, the view is counted. */
  route(template: string): void;
  /** What the visitor decided, and may decide again. Refused before anything began, the SDK stops for this page. */
  consent(granted: boolean): void;
  /** Sends what the flight recorder holds, and from now on everything, as if the session had been sampled. */
  record(): void;
  /** Seals what has been collected and wakes the sender. */
  flush(): void;
  stats(): Stats;
  /**
   * What the SDK has sent and is about to send, in the words of the schema. Seals what has been collected, so that nothing
   * is left out, and loads `vitrace-debug.js`. Beacons that were sent before that file came are not kept, unless `debug`
   * is on. Rejects when the file cannot be loaded or the SDK is off.
   */
  explain(): Promise<Explanation>;
  /** Sends what is left, removes every listener and restores what was wrapped. */
  stop(): void;
}
