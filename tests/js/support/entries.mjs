// Entries as a browser would give them.

/** A resource on a reused connection, same origin, nothing special. */
export function resourceEntry(more = {}) {
  return {
    entryType: "resource", name: "http://shop.test/a.js", startTime: 10, fetchStart: 10, redirectStart: 0, redirectEnd: 0, workerStart: 0,
    domainLookupStart: 10, domainLookupEnd: 10, connectStart: 10, secureConnectionStart: 0, connectEnd: 10,
    requestStart: 12, responseStart: 20, responseEnd: 25, firstInterimResponseStart: 0, finalResponseHeadersStart: 20,
    transferSize: 1300, encodedBodySize: 1000, decodedBodySize: 3000, responseStatus: 200,
    initiatorType: "script", nextHopProtocol: "h2", deliveryType: "", renderBlockingStatus: "blocking", serverTiming: [], ...more,
  };
}

/** The same, but reading any of `names` fails the test: the getter must not be called. */
export function unreadable(entry, names) {
  for (const name of names) {
    Object.defineProperty(entry, name, { get() { throw new Error("read " + name); } });
  }
  return entry;
}

export function startFact(more = {}) {
  return {
    view: [1, 2, 3, 4], session: [5, 6, 7, 8], timeOrigin: 1.7e12, transport: 2, supported: 0b11111,
    app: "shop", release: "1.2.3", environment: "test", sdkVersion: "0.1.0",
    url: "http://shop.test/p/7?token=secret", route: "/p/:id", referrer: "",
    viewportWidth: 1280, viewportHeight: 720, devicePixelRatio: 2, hardwareConcurrency: 8, deviceMemory: undefined,
    effectiveType: "4g", language: "en", isolated: false, hidden: false, prerendering: false, wasDiscarded: false, readyState: 2, ...more,
  };
}

export function eventEntry(more = {}) {
  return {
    entryType: "event", name: "click", startTime: 500, duration: 96, processingStart: 510, processingEnd: 590,
    interactionId: 4001, cancelable: true, target: null, ...more,
  };
}
