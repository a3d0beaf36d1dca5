/**
 * What runs in the recorded page, first of all its scripts: watches like web-vitals does, and writes down what comes,
 * in the order in which it comes. Both functions are serialised into the page and may name nothing outside.
 */

/** Fields that a vital is made of, of an entry as the browser gives it. */
export function plainEntry(entry, pathOfNode) {
  const { entryType, name, startTime, duration } = entry;
  const round = (time) => Math.round(time * 1e4) / 1e4;
  const plain = { entryType };
  const put = (field, value) => {
    if (typeof value === "number" && value !== 0) plain[field] = round(value);
    else if (value) plain[field] = value;
  };
  const times = (...fields) => fields.forEach((field) => put(field, entry[field]));
  if (entryType !== "layout-shift" && entryType !== "largest-contentful-paint") put("name", name);
  put("startTime", startTime);
  put("duration", duration);
  switch (entryType) {
    case "resource":
      times("fetchStart", "requestStart", "responseStart", "responseEnd");
      break;
    case "largest-contentful-paint":
      times("renderTime", "loadTime", "size", "id", "url");
      put("element", entry.element && pathOfNode(entry.element));
      break;
    case "layout-shift":
      put("value", entry.value);
      plain.value = entry.value;
      put("hadRecentInput", entry.hadRecentInput);
      plain.sources = entry.sources.map(({ node }) => (node ? pathOfNode(node) : null));
      break;
    case "event":
    case "first-input":
      times("processingStart", "processingEnd", "interactionId", "targetSelector");
      put("target", entry.target && pathOfNode(entry.target));
      break;
    case "soft-navigation": {
      times("navigationId", "interactionId", "paintTime", "presentationTime");
      const largest = entry.getLargestInteractionContentfulPaint();
      put("largest", largest && plainEntry(largest, pathOfNode));
      break;
    }
    case "interaction-contentful-paint":
      times("interactionId", "paintTime", "presentationTime");
      put("largest", entry.largestContentfulPaint && plainEntry(entry.largestContentfulPaint, pathOfNode));
      break;
    case "long-animation-frame":
      times("renderStart", "styleAndLayoutStart", "firstUIEventTimestamp", "blockingDuration");
      plain.scripts = entry.scripts.map((script) => {
        const { sourceURL, sourceFunctionName, invoker, invokerType, sourceCharPosition } = script;
        const [start, length, forced, paused] = [script.startTime, script.duration, script.forcedStyleAndLayoutDuration, script.pauseDuration].map(round);
        return { startTime: start, duration: length, forcedStyleAndLayoutDuration: forced, pauseDuration: paused, sourceURL, sourceFunctionName, invoker, invokerType, sourceCharPosition };
      });
  }
  return plain;
}

export function watch(delayed, plainEntry, pathOfNode) {
  // The page may navigate softly before it is watched.
  const { search } = location;
  const begin = () => {
    const log = { page: {}, steps: [] };
    const now = () => Math.round(performance.now() * 1e4) / 1e4;
    const observers = [];
    let interactions = performance.interactionCount;
    let isIdleAsked = false;
    // Nothing tells of a change of the count, so it is looked at whenever something happens.
    const step = (what, more) => {
      const at = now();
      if (performance.interactionCount !== interactions) {
        interactions = performance.interactionCount;
        log.steps.push({ at, do: "count", interactions });
      }
      log.steps.push({ at, do: what, ...more });
    };
    const askIdle = () => {
      if (isIdleAsked) return;
      isIdleAsked = true;
      requestIdleCallback(() => {
        isIdleAsked = false;
        step("idle");
      }, { timeout: 1000 });
    };
    const write = (what, entries) => {
      if (entries.length) step(what, { entries: entries.map((entry) => plainEntry(entry, pathOfNode)) });
    };
    Object.assign(log.page, {
      start: now(), state: document.visibilityState, readyState: document.readyState, prerendering: document.prerendering,
      wasDiscarded: document.wasDiscarded === true, interactions, soft: "PerformanceSoftNavigation" in window,
    });
    const buffered = performance.getEntriesByType("visibility-state").slice();
    // Together what web-vitals sorts by its end, in three observers that are called one after the other.
    const sorted = ["largest-contentful-paint", "layout-shift", "event", "first-input"];
    if (log.page.soft) sorted.push("interaction-contentful-paint", "soft-navigation");
    for (const types of [["resource"], ["paint"], ["long-animation-frame"], sorted]) {
      const observer = new PerformanceObserver((list) => {
        write("deliver", list.getEntries());
        askIdle();
      });
      for (const type of types) observer.observe({ type, buffered: true, durationThreshold: 16 });
      observers.push(observer);
      buffered.push(...observer.takeRecords());
    }
    log.page.buffered = buffered.map((entry) => plainEntry(entry, pathOfNode));
    const send = () => {
      const [entry] = performance.getEntriesByType("navigation");
      const fields = ["type", "activationStart", "workerStart", "fetchStart", "domainLookupStart", "connectStart", "connectEnd", "requestStart", "responseStart", "domInteractive", "domContentLoadedEventStart", "domComplete"];
      log.page.navigation = Object.fromEntries(fields.map((field) => [field, entry[field]]));
      navigator.sendBeacon("/recorded" + search, JSON.stringify(log));
    };
    const on = (type, take) => addEventListener(type, (event) => take(event, { timeStamp: Math.round(event.timeStamp * 1e4) / 1e4 }), true);
    on("visibilitychange", (_event, stamp) => {
      const isHidden = document.visibilityState === "hidden";
      if (isHidden) for (const observer of observers) write("pend", observer.takeRecords());
      step(isHidden ? "hide" : "show", stamp);
      if (isHidden) send();
    });
    on("pagehide", ({ persisted }, stamp) => step("pagehide", { ...stamp, persisted }));
    on("pageshow", ({ persisted }, stamp) => {
      if (!persisted) return;
      step("pageshow", { ...stamp, persisted });
      requestAnimationFrame(() => requestAnimationFrame(() => step("frames")));
    });
    on("load", () => {
      step("load");
      askIdle();
    });
    on("prerenderingchange", () => {
      const { activationStart } = performance.getEntriesByType("navigation")[0];
      step("activate", { state: document.visibilityState, activationStart });
    });
    for (const type of ["click", "keydown"]) {
      on(type, ({ isTrusted }, stamp) => {
        step(type, { ...stamp, trusted: isTrusted });
        askIdle();
      });
    }
    askIdle();
  };
  if (delayed < 0) begin();
  else addEventListener("load", () => setTimeout(begin, delayed));
}
