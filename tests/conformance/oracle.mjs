/** web-vitals itself, attribution build, as a subject: what it has reported of the current view. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import vm from "node:vm";

const path = createRequire(import.meta.url).resolve("web-vitals/attribution").replace(/[^/]+$/, "web-vitals.attribution.iife.js");
const library = new vm.Script(readFileSync(path, "utf8") + ";webVitals");

/** Of an interaction that long animation frames overlap: what they had to do with it. */
function framesOf(a) {
  if (a.totalScriptDuration === undefined) return { frames: [], script: "" };
  const { entry, subpart, intersectingDuration } = a.longestScript ?? {};
  return {
    frames: [a.totalScriptDuration, a.totalStyleAndLayoutDuration, a.totalPaintDuration, a.totalUnattributedDuration],
    script: entry ? scriptText({ subpart, intersecting: intersectingDuration, ...entry }) : "",
  };
}

export const scriptText = ({ subpart, intersecting, sourceURL, sourceFunctionName, invoker, invokerType, sourceCharPosition }) =>
  [subpart, intersecting, shown(sourceURL), sourceFunctionName, shown(invoker), invokerType, Math.max(sourceCharPosition, 0)].join(" ");

const DETAILS = {
  LCP: ({ attribution: a }) => ({
    target: a.target, url: a.url, parts: [a.timeToFirstByte, a.resourceLoadDelay, a.resourceLoadDuration, a.elementRenderDelay],
  }),
  INP: ({ attribution: a, entries }) => ({
    target: a.interactionTarget, name: entries[0]?.name, time: a.interactionTime, parts: [a.inputDelay, a.processingDuration, a.presentationDelay], ...framesOf(a),
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
  const { target, url, name, time, parts, frames, script } = DETAILS[metric.name](metric);
  const { loadState } = metric.attribution;
  return {
    value, rating, navigationType, target: target ?? "", url: shown(url), name: name ?? "", time: time ?? 0, parts: [...parts],
    loadState: loadState ?? "", frames: frames ?? [], script: script ?? "",
  };
}

export class Oracle {
  begin(page, { page: { soft = false } }) {
    this._views = [{ id: 0, vitals: {} }];
    const { onCLS, onFCP, onINP, onLCP, onTTFB } = page.run(library);
    // First of all on window: what is reported from here on belongs to the restored view.
    page.global.addEventListener("pageshow", ({ persisted }) => {
      if (persisted) this._views.push({ id: 0, vitals: {} });
    }, true);
    const report = (metric) => {
      this._viewOf(metric).vitals[metric.name] = snapshot(metric);
    };
    for (const on of [onCLS, onFCP, onINP, onLCP, onTTFB]) on(report, { reportSoftNavs: soft });
  }

  vitals() {
    return { ...this._views.at(-1).vitals };
  }

  ended() {
    return this._views.filter((_view, at) => this._views[at + 1]?.id).map(({ vitals }) => vitals);
  }

  /** A soft navigation's first report, of its paint, comes with its entry; the last ones of the view before may come later. */
  _viewOf({ navigationType, navigationId }) {
    const id = navigationType === "soft-navigation" ? navigationId : 0;
    const known = this._views.findLast((view) => view.id === id);
    if (!known) this._views.push({ id, vitals: {} });
    return known ?? this._views.at(-1);
  }
}
