/** web-vitals itself, attribution build, as a subject: what it has reported of the current view. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import vm from "node:vm";

const path = createRequire(import.meta.url).resolve("web-vitals/attribution").replace(/[^/]+$/, "web-vitals.attribution.iife.js");
const library = new vm.Script(readFileSync(path, "utf8") + ";webVitals");

const DETAILS = {
  LCP: ({ attribution: a }) => ({
    target: a.target, url: a.url, parts: [a.timeToFirstByte, a.resourceLoadDelay, a.resourceLoadDuration, a.elementRenderDelay],
  }),
  INP: ({ attribution: a, entries }) => ({
    target: a.interactionTarget, name: entries[0]?.name, time: a.interactionTime, parts: [a.inputDelay, a.processingDuration, a.presentationDelay],
  }),
  CLS: ({ attribution: a }) => ({ target: a.largestShiftTarget, time: a.largestShiftTime, parts: [] }),
  FCP: ({ attribution: a }) => ({ parts: [a.timeToFirstByte, a.firstByteToFCP] }),
  TTFB: ({ attribution: a }) => ({
    parts: [a.waitingDuration, a.cacheDuration, a.dnsDuration, a.connectionDuration, a.requestDuration],
  }),
};

// What reaches the wire: no query, no fragment.
const shown = (url) => (url ?? "").split(/[?#]/, 1)[0];

function snapshot(metric) {
  const { value, rating, navigationType } = metric;
  const { target, url, name, time, parts } = DETAILS[metric.name](metric);
  return { value, rating, navigationType, target: target ?? "", url: shown(url), name: name ?? "", time: time ?? 0, parts: [...parts] };
}

export class Oracle {
  begin(page) {
    this._vitals = {};
    const { onCLS, onFCP, onINP, onLCP, onTTFB } = page.run(library);
    // First of all on window: what is reported from here on belongs to the restored view.
    page.global.addEventListener("pageshow", ({ persisted }) => {
      if (persisted) this._vitals = {};
    }, true);
    const report = (metric) => {
      this._vitals[metric.name] = snapshot(metric);
    };
    for (const on of [onCLS, onFCP, onINP, onLCP, onTTFB]) on(report);
  }

  vitals() {
    return { ...this._vitals };
  }
}
