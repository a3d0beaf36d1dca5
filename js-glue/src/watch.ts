/**
 * The first half of the SDK, live at once: observers, listeners and the page's own calls fill a bounded queue. The second
 * half (boot.ts) comes later, as `engine`, and empties it.
 *
 *   tag: vitrace.js     watch ── queue          load event, or one second ──► vitrace-bridge.js ─┐
 *                         │                                             └──► vitrace.wasm ───────┤
 *                         └────────────────────── hand-over ─────────────────────────────────────┴─► engine
 *
 * In the npm package both halves are one file. With the tag they are two, minified apart, with the same
 * short names; HAND_OVER changes when what crosses does.
 */
import { InboxKind, InboxLifecycle } from "./abi";
import { HAND_OVER, type PartScript } from "./hand_over";
import { customFact, metricFact } from "./lib/custom";
import { Guard } from "./lib/guard";
import { isHidden } from "./lib/hidden";
import { idleMark } from "./lib/idle_mark";
import { addLeft } from "./lib/left_early";
import { listen } from "./lib/listen";
import { Queue } from "./lib/queue";
import { useScript, type UseScript } from "./lib/trusted";
import { ownRequests, type Urls } from "./lib/urls";
import { isPrerendering, whenActivated } from "./lib/when_activated";
import { whenLoaded } from "./lib/when_loaded";
import { shared } from "./shared";
import { observeEntries } from "./observe/entries";
import { observeError } from "./observe/error";
import { observePage, type Restoring } from "./observe/page";
import type { Context } from "./observe/source";
import { observeVisibility } from "./observe/visibility";
import type { OwnCore } from "./bridge/memory";
import type { Client, Explanation, Options, Stats } from "./types";

/** A page that takes its time must not lose what it has when it is left meanwhile. */
const LOAD_MS_MAX = 1000;

/** What the second half does for the first. */
export interface Engine extends Restoring {
  /** The core's bytes, or the load event, have come. */
  advance(): void;
  /** `isLeft`: not only hidden. */
  leave(isLeft: boolean): void;
  stay(): void;
  explain(): Promise<Explanation>;
  core(): OwnCore | undefined;
  flush(): void;
  /** The watch's isGranted or isAsked is another one. False: nothing has begun that this could change. */
  decide(): boolean;
  /** What the watch does not know itself. */
  stats(): Partial<Stats>;
  stop(): void;
}

/** `name`: of vitrace-NAME.js. */
export type LoadPart = (name: string, integrity: string) => PartScript;

export interface Watch {
  readonly version: string;
  /** For the files that are loaded later. */
  readonly basis: readonly unknown[];
  readonly options: Options;
  readonly urls: Urls;
  readonly guard: Guard;
  readonly queue: Queue;
  readonly context: Context;
  readonly client: Client;
  /** The page as it was when the SDK started. */
  readonly page: { readonly url: string; readonly hidden: boolean; readonly prerendering: boolean; readonly readyState: string };
  /** The page may wrap fetch later, and we do too: our own requests are none of a wrapper's business. */
  readonly fetch: typeof fetch;
  readonly useScript: UseScript;
  /** Not the npm package: vitrace-bridge.js is there, and is the worker's script, too. */
  isTag?: boolean;
  bytes?: ArrayBuffer | undefined;
  isLoaded: boolean;
  isStopped: boolean;
  /** The visitor's consent. Without it nothing is loaded, and nothing is stored. */
  isGranted: boolean;
  /** The application wants this page to be sent, sampled or not. */
  isAsked: boolean;
  engine?: Engine | undefined;
  /** Gets another file of the SDK, which finds the watch at its script. Set by who knows how. */
  load?: LoadPart;
  /** Hands over what the browser holds back. */
  drain(): void;
  /** Takes every listener and wrapper off. */
  takeDown(): void;
}

/** `integrity`: of the core, when the page pins the SDK. `load`: gets the second half, if it is not here yet. */
export function watch(options: Options, urls: Urls, load?: () => void, integrity = ""): Watch {
  const guard = new Guard();
  const queue = new Queue();
  const context: Context = { viewStart: 0, guard, sink: queue, drains: [], stops: [] };
  const idle = idleMark(context);
  const fetch = window.fetch.bind(window);
  let isLeft = false;
  let report = (_error: unknown) => {};
  const push = (kind: InboxKind, item: unknown, extra?: number) => self.isStopped || queue.push(kind, item, extra);

  const self: Watch = {
    version: HAND_OVER,
    basis: shared,
    options,
    urls,
    guard,
    queue,
    context,
    fetch,
    useScript: useScript(),
    page: { url: location.href, hidden: isHidden(), prerendering: isPrerendering(), readyState: document.readyState },
    isLoaded: false,
    isStopped: false,
    isGranted: options.consent !== "required",
    isAsked: false,
    drain() {
      for (const drain of context.drains) drain();
      idle.settle();
    },
    takeDown() {
      for (const stop of context.stops.splice(0)) stop();
      context.drains.length = 0;
    },
    client: {
      event: guard.wrap((name, attributes) => push(InboxKind.CUSTOM_EVENT, customFact(name, attributes))),
      metric: guard.wrap((name, value, more) => push(InboxKind.CUSTOM_METRIC, metricFact(name, value, more))),
      route: guard.wrap((template) => push(InboxKind.ROUTE, template + "", performance.now())),
      error: guard.wrap((error) => self.isStopped || report(error)),
      consent: guard.wrap((granted) => {
        self.isGranted = granted;
        if (self.engine?.decide()) return;
        if (granted) return self.isLoaded && request();
        queue.items = [];
        self.client.stop();
      }),
      record: guard.wrap(() => {
        self.isAsked = true;
        self.engine?.decide();
      }),
      flush: guard.wrap(() => self.engine?.flush()),
      stats() {
        const more = self.engine?.stats();
        const state = guard.off ? "disabled" : self.isStopped ? "stopped" : more?.transport ? "running" : "waiting";
        return { state, reason: guard.reason, queued: queue.items.length, ...more } as Stats;
      },
      explain: async () => self.engine!.explain(),
      stop() {
        if (self.isStopped) return;
        guard.run(() => self.engine?.stop());
        self.isStopped = true;
        self.takeDown();
      },
    },
  };
  guard.onDisable = self.takeDown;

  const on = <E extends Event>(target: EventTarget, type: string, take: (event: E) => void) => listen(context, target, type, take);
  guard.run(() => {
    // First of all on window, so that what is pending precedes the hidden record that closes the vitals.
    on(window, "visibilitychange", () => isHidden() && self.drain());
    report = observeError(context);
    observeVisibility(context);
    observeEntries(context, idle, ownRequests(urls));
    observePage(context, idle, () => self.engine);
    // Last of all on document, when every source has seen that the page is hidden.
    on(document, "visibilitychange", () => (isHidden() ? self.engine?.leave(false) : self.engine?.stay()));
    on<PageTransitionEvent>(window, "pagehide", (event) => {
      context.isGone = true;
      self.drain();
      queue.push(InboxKind.LIFECYCLE, { event: InboxLifecycle.PAGEHIDE, time: event.timeStamp });
      self.engine?.leave(true);
      isLeft = (!self.bytes || !self.engine) && !isPrerendering() && self.isGranted;
      if (isLeft) addLeft(1);
    });
    on(window, "pageshow", () => {
      context.isGone = false;
      if (isLeft) addLeft(-1);
    });
  });

  let isRequested = false;
  const request = () => {
    if (isRequested || !self.isGranted || self.isStopped || guard.off) return;
    isRequested = true;
    // In a promise, so that what throws at once (a page's own fetch, Trusted Types without our policy) disables us, too.
    (async () => {
      load?.();
      // Not streaming: at this size it is no faster, and it would need the right media type from every server.
      return fetch(urls.wasm, { credentials: "same-origin", priority: "low", integrity } as RequestInit);
    })()
      .then((response) => (response.ok ? response.arrayBuffer() : Promise.reject(response.status)))
      .then(
        guard.wrap((bytes: ArrayBuffer) => {
          self.bytes = bytes;
          self.engine?.advance();
        }),
      )
      .catch((error) => guard.disable("cannot load the core: " + error));
  };
  whenLoaded(
    guard.wrap(() => {
      self.isLoaded = true;
      queue.push(InboxKind.LIFECYCLE, { event: InboxLifecycle.LOADED, time: performance.now() });
      self.engine?.advance();
      whenActivated(request);
    }),
  );
  whenActivated(() => setTimeout(request, LOAD_MS_MAX));
  return self;
}
