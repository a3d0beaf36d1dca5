// What a page may do to the SDK that it hosts. `before` runs ahead of the tag, `after` behind it; `csp` is the page's policy,
// with COLLECTOR for the collector's origin; `block` are requests that never get out.
//
// expect: `arrives` (default) the view is at the collector with the page's last word, `transport` its way; `off` the SDK says
// that it is disabled and why; `refused` no SDK at all; `lost` reasons that the collector must have been told. `arrives: undefined`: it may,
// else the SDK says why not; `nonsense`: not even that, for the SDK's own meter is what the page has broken.
const NONCE = "bm9uY2U";
const BASE = "default-src 'self'; img-src *; style-src 'unsafe-inline'";
const SCRIPTS = `script-src 'nonce-${NONCE}' COLLECTOR 'wasm-unsafe-eval'; connect-src 'self' COLLECTOR; worker-src blob:`;

const every = (object, names, wrap) => `for (const name of ${JSON.stringify(names)}) { const own = ${object}[name]; ${object}[name] = ${wrap}; }`;
const throws = (object, names) => `for (const name of ${JSON.stringify(names)}) Object.defineProperty(${object}, name, { configurable: true, get() { throw new Error("hostile " + name); } });`;

/** A page may hand us 100,000 entries in one go; real ones would take a server minutes. */
const FLOOD = `
  const Native = PerformanceObserver;
  window.PerformanceObserver = class extends Native {
    constructor(callback) { super(callback); this.deliver = callback; }
    observe(options) {
      super.observe(options);
      if (options.type !== "resource") return;
      const entry = (i) => ({ entryType: "resource", name: "http://127.0.0.1/r/" + i + "?" + "q".repeat(100), initiatorType: "img", startTime: i / 10,
        duration: 5, fetchStart: i / 10, responseEnd: i / 10 + 5, serverTiming: [], nextHopProtocol: "h2", transferSize: 500 });
      const all = Array.from({ length: 100000 }, (_, i) => entry(i));
      setTimeout(() => this.deliver({ getEntries: () => all.splice(0) }, this, {}), 300);
    }
  };`;

export const CASES = [
  { name: "a peaceful page", transport: "transfer" },

  // ---- what the page has done to the language and the browser's objects
  { name: "arrays with additions that are enumerable", before: `Array.prototype.extra = function () {}; Object.prototype.more = 1; Array.prototype.toJSON = () => "no";` },
  { name: "array methods of the page's own", before: every("Array.prototype", ["push", "map", "forEach", "filter", "concat", "slice", "splice", "join"],
    "function (...args) { return own.apply(this, args); }") },
  { name: "array methods that throw", before: every("Array.prototype", ["map", "forEach", "concat", "splice"], "function () { throw new Error('hostile ' + name); }"),
    arrives: undefined },
  { name: "a JSON that throws", before: `JSON.stringify = JSON.parse = () => { throw new Error("hostile JSON"); };` },
  { name: "a Promise of the page's own", before: `const Native = Promise; window.Promise = class Promise extends Native {};` },
  { name: "promises without finally, with a catch that throws", before: `delete Promise.prototype.finally; Promise.prototype.catch = () => { throw new Error("hostile catch"); };`,
    arrives: undefined },
  { name: "a fetch of the page's own", before: `const own = fetch; window.fetch = (...args) => own(...args);`, after: `const second = fetch; window.fetch = async (...args) => second(...args);` },
  { name: "a fetch that throws at once", before: `const own = fetch; window.fetch = (url, ...rest) => { if (!String(url).startsWith("/")) throw new Error("hostile fetch"); return own(url, ...rest); };`, off: true },
  { name: "a fetch that answers nonsense", before: `const own = fetch; window.fetch = (url, ...rest) => String(url).startsWith("/") ? own(url, ...rest) : Promise.resolve({});`, off: true },
  { name: "listeners that the page counts", before: `const own = EventTarget.prototype.addEventListener; EventTarget.prototype.addEventListener = function (type, take, options) { return own.call(this, type, take, options); };` },
  { name: "an addEventListener that throws", refused: true, before: `const own = EventTarget.prototype.addEventListener; EventTarget.prototype.addEventListener = function (type, ...rest) { if (this === window || this === document) throw new Error("hostile listen"); return own.call(this, type, ...rest); };` },
  { name: "a sendBeacon that throws", before: `navigator.sendBeacon = () => { throw new Error("hostile sendBeacon"); };` },
  { name: "no crypto, no requestIdleCallback, no sendBeacon", before: `delete window.requestIdleCallback; delete window.cancelIdleCallback; Object.defineProperty(navigator, "sendBeacon", { value: undefined });` },
  { name: "frozen prototypes", before: `for (const one of [Object, Array, Function, Promise, Map, Set, String, RegExp]) Object.freeze(one.prototype); Object.freeze(EventTarget.prototype); Object.freeze(JSON);` },
  { name: "frozen globals", before: `Object.freeze(performance); Object.freeze(navigator); Object.freeze(document); Object.freeze(XMLHttpRequest.prototype); Object.defineProperty(window, "fetch", { value: fetch, writable: false, configurable: false });`,
    arrives: true },

  // ---- entries and observers
  { name: "no PerformanceObserver", before: `window.PerformanceObserver = undefined;` },
  { name: "a PerformanceObserver that throws", before: `window.PerformanceObserver = class { static supportedEntryTypes = PerformanceObserver.supportedEntryTypes; constructor() { throw new Error("hostile observer"); } };` },
  { name: "the page's own observers throw", before: `for (const type of ["resource", "paint", "longtask"]) new PerformanceObserver(() => { throw new Error("the page's own"); }).observe({ type, buffered: true });`, own: /the page's own/ },
  { name: "getters of resources throw", before: throws("PerformanceResourceTiming.prototype", ["initiatorType", "serverTiming", "transferSize"]), lost: ["bad_entry"] },
  { name: "getters of every entry throw", before: throws("PerformanceEntry.prototype", ["name", "startTime", "duration", "entryType"]), arrives: undefined },
  { name: "performance.getEntriesByType throws", before: `performance.getEntriesByType = () => { throw new Error("hostile"); };` },
  { name: "100,000 resources in one callback", before: FLOOD, lost: ["queue_full"], heap: true },
  { name: "100,000 marks", after: `setTimeout(() => { for (let i = 0; i < 100000; i++) performance.mark("mark " + i); }, 200);`, heap: true, lost: ["queue_full"] },

  // ---- policies
  { name: "CSP: a strict nonce", nonce: NONCE, csp: `script-src 'nonce-${NONCE}' 'strict-dynamic' 'wasm-unsafe-eval'; object-src 'none'; base-uri 'none'`, transport: "transfer" },
  { name: "CSP: all that the README asks for", nonce: NONCE, csp: `${BASE}; ${SCRIPTS}`, transport: "transfer" },
  { name: "CSP: no WebAssembly", nonce: NONCE, csp: `${BASE}; ${SCRIPTS.replace(" 'wasm-unsafe-eval'", "")}`, transport: "raw_inbox" },
  { name: "CSP: no workers", nonce: NONCE, csp: `${BASE}; ${SCRIPTS.replace("worker-src blob:", "worker-src 'none'")}`, transport: "main_thread" },
  { name: "CSP: connect-src without the collector", nonce: NONCE, csp: `${BASE}; ${SCRIPTS.replace("connect-src 'self' COLLECTOR", "connect-src 'self'")}`, off: true },
  { name: "CSP: the SDK's script is not allowed", nonce: NONCE, csp: `${BASE}; script-src 'nonce-${NONCE}'`, tagNonce: "", refused: true },
  { name: "CSP: Trusted Types with our policy", nonce: NONCE, csp: `${BASE}; ${SCRIPTS}; require-trusted-types-for 'script'; trusted-types vitrace`, transport: "transfer" },
  { name: "CSP: Trusted Types without our policy", nonce: NONCE, csp: `${BASE}; ${SCRIPTS}; require-trusted-types-for 'script'; trusted-types other`, off: true },

  // ---- the network, storage, clocks
  { name: "blocked: the beacons", endpoint: "http://127.0.0.1:1", arrives: false },
  { name: "blocked: the core", block: [".wasm"], off: true },
  { name: "blocked: the second half", block: ["vitrace-bridge"], off: true },
  { name: "blocked: the SDK", block: ["/v1/vitrace.js"], refused: true },
  { name: "storage is over its quota", before: `Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };` },
  { name: "storage cannot be touched", before: throws("window", ["localStorage", "sessionStorage", "indexedDB"]) },
  { name: "databases cannot be opened", before: `IDBFactory.prototype.open = () => { throw new DOMException("no", "InvalidStateError"); };` },
  { name: "a wall clock that jumps", before: `const own = Date.now; let n = 0; Date.now = () => own() + [0, 864e5, -864e5, 3.2e10][n++ % 4];` },
  { name: "a monotonic clock that jumps", before: `const own = performance.now.bind(performance); let n = 0; performance.now = () => own() + [0, 36e5, -5000, 1e9][n++ % 4];`, arrives: undefined, nonsense: true },
  { name: "clocks that tell nonsense", before: `performance.now = () => NaN; Date.now = () => -Infinity;`, arrives: undefined, nonsense: true },
];
