/**
 * A page without a browser: a virtual clock, the performance timeline, observers, events, frames and idle moments, all
 * moved by the steps of a scenario. What runs in it sees the globals of a document.
 *
 *   step --> clock --> timeline --> observer callbacks --> microtasks --> tasks (timers that are due)
 *                 \--> listeners, in capture order  -----------^
 *
 * Nothing happens between steps. Observers are called in the order in which they were made, one callback per observer
 * and batch; entries that `pend` are held back until the next step, so that a page that is hidden meanwhile can take
 * them with takeRecords.
 */
import vm from "node:vm";
import { nodeOfPath } from "./nodes.mjs";
import { ENTRY_TYPES, SOFT_TYPES } from "./scenario.mjs";

/** Event timings have a floor: no threshold gets shorter ones (Event Timing, 3.3.1). */
const EVENT_DURATION_MIN_MS = 16;
const EVENT_DURATION_DEFAULT_MS = 104;

/** A callback may make a new observer, whose buffered entries come in a task of its own; deeper than this nobody goes. */
const SETTLE_ROUNDS = 4;

const RESOURCE_PHASES = [
  "redirectStart", "redirectEnd", "workerStart", "fetchStart", "domainLookupStart", "domainLookupEnd", "connectStart",
  "secureConnectionStart", "connectEnd", "requestStart", "responseStart", "responseEnd", "transferSize", "encodedBodySize", "decodedBodySize",
];
const SCRIPT = { duration: 0, forcedStyleAndLayoutDuration: 0, pauseDuration: 0, sourceURL: "", sourceFunctionName: "", invoker: "", invokerType: "", sourceCharPosition: -1 };
/** These appear on the navigation entry as the load goes on. */
const MILESTONES = ["domInteractive", "domContentLoadedEventStart", "domContentLoadedEventEnd", "domComplete", "loadEventStart", "loadEventEnd"];
const NAVIGATION_PHASES = [
  "activationStart", "unloadEventStart", "unloadEventEnd", "domInteractive", "domContentLoadedEventStart",
  "domContentLoadedEventEnd", "domComplete", "loadEventStart", "loadEventEnd", "redirectCount",
];

/** A stored entry leaves out what is zero, and paths stand for its elements. */
export function entryOf(stored) {
  const entry = { name: "", startTime: 0, duration: 0, ...stored };
  switch (stored.entryType) {
    case "navigation":
      for (const phase of NAVIGATION_PHASES) entry[phase] ??= 0;
    // A navigation is a resource, too.
    case "resource":
      for (const phase of RESOURCE_PHASES) entry[phase] ??= 0;
      return { initiatorType: "other", nextHopProtocol: "", serverTiming: [], ...entry };
    case "largest-contentful-paint":
      return { renderTime: entry.startTime, loadTime: 0, size: 1, id: "", url: "", ...entry, element: nodeOfPath(stored.element) };
    case "layout-shift":
      return { ...entry, hadRecentInput: stored.hadRecentInput === true, sources: (stored.sources ?? []).map((path) => ({ node: nodeOfPath(path) })) };
    case "event":
    case "first-input":
      return { cancelable: true, interactionId: 0, ...entry, target: nodeOfPath(stored.target) };
    case "long-animation-frame":
      return { renderStart: 0, styleAndLayoutStart: 0, firstUIEventTimestamp: 0, blockingDuration: 0, ...entry, scripts: (stored.scripts ?? []).map((script) => ({ ...SCRIPT, ...script })) };
    case "interaction-contentful-paint":
      return { ...entry, largestContentfulPaint: stored.largest && entryOf({ entryType: "largest-contentful-paint", ...stored.largest }) };
    case "soft-navigation": {
      const largest = stored.largest && entryOf({ entryType: "interaction-contentful-paint", ...stored.largest });
      return { paintTime: 0, presentationTime: 0, ...entry, getLargestInteractionContentfulPaint: () => largest ?? null };
    }
    default:
      return entry;
  }
}

function isObserved(entry, observed) {
  if (!observed) return false;
  const threshold = Math.max(observed.durationThreshold ?? EVENT_DURATION_DEFAULT_MS, EVENT_DURATION_MIN_MS);
  return entry.entryType !== "event" || entry.duration >= threshold;
}

/** A list of entries is in order of their start (Performance Timeline, "filter buffer by name and type"). */
const inOrder = (entries) => [...entries].sort((a, b) => a.startTime - b.startTime);

export class Page {
  constructor({ page }) {
    this.now = page.start;
    this.supported = [...ENTRY_TYPES, ...(page.soft ? SOFT_TYPES : [])].filter((type) => !page.unsupported?.includes(type));
    this.timeline = (page.buffered ?? []).map(entryOf);
    this.navigation = page.navigation && entryOf({ entryType: "navigation", type: "navigate", name: "http://site.test/", ...page.navigation });
    this._loadedAt = page.readyState === "complete" ? 1 : Infinity;
    if (this.navigation) this._hideFuture(this.navigation);
    this._oneByOne = page.oneByOne ?? [];
    this._observers = [];
    this._listeners = [];
    this._microtasks = [];
    this._timers = [];
    this._idle = [];
    this._frames = [];
    this._isHolding = false;
    this._serial = 0;
    this.global = vm.createContext(this._globals(page));
  }

  /** Streams that do not say when the document was parsed mean: when it was loaded. */
  _hideFuture(navigation) {
    for (const name of MILESTONES) {
      const given = navigation[name];
      const read = () => {
        const time = given || this._loadedAt;
        return time <= this.now ? time : 0;
      };
      Object.defineProperty(navigation, name, { enumerable: true, get: read });
    }
  }

  loaded() {
    this.global.document.readyState = "complete";
    this._loadedAt = Math.min(this._loadedAt, this.now);
  }

  /** Returns what the script evaluates to. */
  run(script) {
    return script.runInContext(this.global);
  }

  /** Moves to a moment, does what happens there, and then all that follows from it before the next. */
  step(at, act) {
    this.now = at;
    this._runTimers();
    act();
    this._settle();
  }

  get isHidden() {
    return this.global.document.visibilityState === "hidden";
  }

  record(entries) {
    for (const stored of entries) {
      const entry = entryOf(stored);
      this.timeline.push(entry);
      for (const observer of this._observers) if (isObserved(entry, observer.types.get(entry.entryType))) observer.records.push(entry);
    }
  }

  /** The entries exist, but nobody is called before `letGo`. */
  hold(entries) {
    this.record(entries);
    this._isHolding = true;
  }

  letGo() {
    this._isHolding = false;
    this._callObservers();
  }

  runIdle() {
    for (const { run } of this._idle.splice(0)) this._call(run, { didTimeout: false, timeRemaining: () => 50 });
  }

  /** A hidden page paints no frames. */
  runFrame() {
    if (this.isHidden) return;
    for (const { run } of this._frames.splice(0)) this._call(run, this.now);
  }

  dispatch(type, { at, timeStamp = at, trusted = true, persisted = false }, onDocument = false) {
    const event = { type, timeStamp, isTrusted: trusted, persisted, target: { ...nodeOfPath("HTML>BODY"), closest() { return this; } } };
    const isReached = (listener) => listener.type === type && (onDocument || listener.target === "window");
    // Window in its capture phase, then the document, then window again on the way up.
    const rank = (listener) => (listener.target === "window" ? (listener.capture ? 0 : 3) : listener.capture ? 1 : 2);
    for (const listener of this._listeners.filter(isReached).sort((a, b) => rank(a) - rank(b) || a.serial - b.serial)) {
      if (!this._listeners.includes(listener)) continue;
      if (listener.once) this._listeners.splice(this._listeners.indexOf(listener), 1);
      this._call(listener.take, event);
    }
  }

  _callObservers() {
    for (const observer of [...this._observers]) {
      const records = observer.records.splice(0);
      const batches = this._isOneByOne(observer) ? records.map((entry) => [entry]) : [records];
      for (const batch of batches) if (batch.length) this._call(observer.callback, { getEntries: () => inOrder(batch) }, observer, {});
    }
  }

  _isOneByOne({ types }) {
    return this._oneByOne.some((type) => types.has(type));
  }

  _call(run, ...args) {
    run(...args);
    for (let next = this._microtasks.shift(); next; next = this._microtasks.shift()) next();
  }

  _runTimers() {
    for (;;) {
      const due = this._timers.filter((timer) => timer.at <= this.now).sort((a, b) => a.at - b.at || a.handle - b.handle)[0];
      if (!due) return;
      this._timers.splice(this._timers.indexOf(due), 1);
      this._call(due.run);
    }
  }

  /** Observer callbacks and timers of now, until there are no more. */
  _settle() {
    for (let round = 0; round < SETTLE_ROUNDS; round++) {
      if (!this._isHolding) this._callObservers();
      this._runTimers();
    }
  }

  _observerClass() {
    const page = this;
    return class PerformanceObserver {
      static supportedEntryTypes = page.supported;
      constructor(callback) {
        this.callback = callback;
        this.types = new Map();
        this.records = [];
        page._observers.push(this);
      }
      observe(options) {
        this.types.set(options.type, options);
        if (options.buffered) this.records.push(...page.timeline.filter((entry) => entry.entryType === options.type && isObserved(entry, options)));
      }
      disconnect() {
        this.types.clear();
        this.records = [];
      }
      takeRecords() {
        return inOrder(this.records.splice(0));
      }
    };
  }

  _target(target) {
    const captures = (options) => (typeof options === "object" ? options.capture === true : options === true);
    return {
      addEventListener: (type, take, options) => {
        const capture = captures(options);
        if (this._listeners.some((l) => l.target === target && l.type === type && l.take === take && l.capture === capture)) return;
        this._listeners.push({ target, type, take, capture, once: options?.once === true, serial: this._serial++ });
      },
      removeEventListener: (type, take, options) => {
        const capture = captures(options);
        this._listeners = this._listeners.filter((l) => l.target !== target || l.type !== type || l.take !== take || l.capture !== capture);
      },
    };
  }

  _queue(name) {
    return {
      add: (run, at) => {
        const handle = ++this._serial;
        this[name].push({ run, at, handle });
        return handle;
      },
      drop: (handle) => {
        this[name] = this[name].filter((item) => item.handle !== handle);
      },
    };
  }

  _globals(page) {
    const [timers, idle, frames] = ["_timers", "_idle", "_frames"].map((name) => this._queue(name));
    const later = (run) => void this._microtasks.push(run);
    const entriesOf = (type) => (type === "navigation" ? [this.navigation].filter(Boolean) : this.timeline.filter((entry) => entry.entryType === type));
    const global = {
      ...this._target("window"),
      document: {
        ...this._target("document"),
        visibilityState: page.state ?? "visible",
        prerendering: page.prerendering === true,
        wasDiscarded: page.wasDiscarded === true,
        readyState: "",
      },
      history: { pushState() {}, replaceState() {} },
      performance: { now: () => this.now, timeOrigin: 1.7e12, getEntriesByType: (type) => (this.supported.includes(type) ? entriesOf(type) : []) },
      PerformanceObserver: this._observerClass(),
      // The page answers every click at once: whether one is dead is not what the corpus is about.
      MutationObserver: class {
        constructor(take) {
          this.take = take;
        }
        observe() {
          later(() => this.take([]));
        }
        disconnect() {}
      },
      AbortController,
      getSelection: () => null,
      PerformanceNavigationTiming: class {},
      PerformanceEventTiming: page.unsupported?.includes("interactionId") ? class {} : class { get interactionId() { return 0; } },
      setTimeout: (run, delay = 0) => timers.add(run, this.now + delay),
      clearTimeout: timers.drop,
      requestIdleCallback: (run) => idle.add(run),
      cancelIdleCallback: idle.drop,
      requestAnimationFrame: (run) => frames.add(run),
      queueMicrotask: later,
    };
    let readyState = page.readyState ?? "loading";
    Object.defineProperty(global.document, "readyState", {
      get: () => (readyState === "loading" && this.navigation?.domInteractive ? "interactive" : readyState),
      set: (state) => { readyState = state; },
    });
    if (page.soft) global.PerformanceSoftNavigation = class { getLargestInteractionContentfulPaint() {} };
    if (!page.unsupported?.includes("interactionCount")) global.performance.interactionCount = page.interactions ?? 0;
    if (this.navigation) Object.setPrototypeOf(this.navigation, global.PerformanceNavigationTiming.prototype);
    return Object.assign(global, { self: global, window: global });
  }
}
