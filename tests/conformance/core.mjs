/**
 * The core through its inbox, as a subject. This file is the order in which records have to be written, said once and
 * without a browser (js-glue/src/observe has the other implementation):
 *
 *   START, NAVIGATION                when the core starts: after load and activation, or when the page is hidden first
 *   VISIBILITY (buffered)            before any paint
 *   entries                          as they are delivered, source by source; the last LARGEST_PAINT of a batch is marked
 *   VISIBILITY, ACTIVATED            at activation; the first only in a background tab
 *   INTERACTION_COUNT, IDLE          at idle moments, when events or input came since the last
 *   INTERACTION_COUNT, IDLE, VISIBILITY   when the page is hidden, after everything that was still pending
 *   INTERACTION_COUNT, VIEW, SOFT_NAVIGATION, INTERACTION_PAINT   at the idle moment after a soft navigation, between what ended
 *                                    before it or was known before it, and the rest
 *   INTERACTION_COUNT, VIEW, PAINT   at a return from the back/forward cache; the paint with the time of the second frame
 */
import { startFact } from "../js/support/entries.mjs";
import { abi, Core, selectorOf } from "./module.mjs";
import { entryOf } from "./page.mjs";

const { InboxKind: Kind, InboxLifecycle: Lifecycle, NavigationType } = abi;
const ID_STEP = 7;

const SOFT_NAVIGATIONS = 1 << 5;

export function supportedBits(supported, unsupported = []) {
  const needs = { LCP: "largest-contentful-paint", INP: "event", CLS: "layout-shift", FCP: "paint", TTFB: "navigation" };
  return Object.entries(needs).reduce((bits, [name, type]) => {
    const can = supported.includes(type) && !(name === "INP" && unsupported.includes("interactionId"));
    return can ? bits | (1 << (abi.Metric[name] - 1)) : bits;
  }, supported.includes("soft-navigation") ? SOFT_NAVIGATIONS : 0);
}

/** web-vitals blames the first source that is an element, and a removed element by its id. */
const TARGETS = {
  "layout-shift": ({ hadRecentInput, sources }) =>
    hadRecentInput || !sources.length ? "" : selectorOf((sources.find(({ node }) => node?.nodeType === 1) ?? sources[0]).node),
  "largest-contentful-paint": ({ element, id }) => selectorOf(element) || (id ? "#" + id : ""),
  event: ({ interactionId, target, targetSelector }) => (interactionId ? selectorOf(target) || targetSelector : ""),
};
TARGETS["first-input"] = TARGETS.event;
TARGETS["interaction-contentful-paint"] = ({ largestContentfulPaint: largest }) => TARGETS["largest-contentful-paint"](largest);

const paintOf = ({ startTime, interactionId, largestContentfulPaint: { renderTime, loadTime, size, url } }) =>
  ({ startTime, renderTime, loadTime, size, url, interactionId });

const SOURCES = {
  "visibility-state": (entry) => ({ kind: Kind.VISIBILITY, item: { time: entry.startTime, hidden: entry.name === "hidden", buffered: true } }),
  resource: (item) => ({ kind: Kind.RESOURCE, item }),
  paint: (item) => ({ kind: Kind.PAINT, item }),
  "largest-contentful-paint": (entry, last) => ({ kind: Kind.LARGEST_PAINT, item: { entry, last } }),
  "layout-shift": (item) => ({ kind: Kind.LAYOUT_SHIFT, item }),
  event: (item) => ({ kind: Kind.EVENT, item }),
  "first-input": (item) => ({ kind: Kind.EVENT, item }),
  "interaction-contentful-paint": (entry) => ({ kind: Kind.INTERACTION_PAINT, item: paintOf(entry) }),
  "long-animation-frame": (item) => ({ kind: Kind.LONG_FRAME, item }),
};

// The threshold that web-vitals asks for; the browser keeps back what is shorter.
const EVENT_DURATION_MIN_MS = 40;

export default class CoreSubject {
  begin(page, { page: facts }) {
    this._page = page;
    this._facts = facts;
    this._queue = [];
    this._core = new Core();
    this._softNavigations = [];
    this._isStarted = this._isAsked = this._isGone = false;
    this._ids = { min: Infinity, max: 0 };
    this._start = startFact({
      supported: supportedBits(page.supported, facts.unsupported),
      hidden: page.isHidden,
      prerendering: page.global.document.prerendering,
      wasDiscarded: page.global.document.wasDiscarded,
    });
    this._deliver(page, facts.buffered ?? []);
    if (page.global.document.readyState === "complete" && !facts.prerendering) this._loaded(page);
  }

  /** What was pending has to come first, and the state of the page is read afterwards: both are true here. */
  after(step, page) {
    this._actions[step.do]?.call(this, page, step);
    if (this._isStarted && !this._softNavigations.length) this._flush(page);
  }

  vitals() {
    return this._core.reports.ofLastView();
  }

  ended() {
    return this._core.reports.ofEndedViews();
  }

  _actions = {
    deliver: (page, { entries }) => this._deliver(page, entries),
    pend: (page, { entries }) => this._deliver(page, entries),
    load: (page) => page.global.document.prerendering || this._loaded(page),
    activate: (page, { at }) => {
      // A prerendered document says hidden; that it still is, once activated, has to be said.
      if (page.isHidden) this._push(Kind.VISIBILITY, { time: at, hidden: true, buffered: false });
      this._lifecycle(Lifecycle.ACTIVATED, page);
      if (page.global.document.readyState === "complete") this._loaded(page);
    },
    click: (page, step) => this._input(page, step),
    keydown: (page, step) => this._input(page, step),
    idle: (page) => {
      if (this._isAsked) this._settle(page);
      if (page.global.document.readyState === "complete" && !page.global.document.prerendering) this._begin(page);
    },
    hide: (page, { at, timeStamp = at }) => {
      this._settle(page);
      this._push(Kind.VISIBILITY, { time: timeStamp, hidden: true, buffered: false });
      this._restored = undefined;
      this._begin(page);
      this._flush(page);
      this._core.seal(page.now);
    },
    pageshow: (page, { at, timeStamp = at, persisted }) => {
      if (!persisted) return;
      this._count(page);
      this._view(page, timeStamp, NavigationType.BACK_FORWARD_CACHE);
      this._restored = timeStamp;
    },
    frames: (page) => {
      if (this._restored !== undefined && !page.isHidden) this._push(Kind.PAINT, { name: "first-contentful-paint", startTime: page.now });
      this._restored = undefined;
    },
  };

  _push(kind, item, extra, { startTime, duration } = { startTime: this._page.now, duration: 0 }) {
    this._queue.push({ kind, item, extra, start: startTime, end: startTime + duration });
  }

  _lifecycle(event, page) {
    this._push(Kind.LIFECYCLE, { event, time: page.now });
  }

  _view(page, startTime, type, at) {
    const view = [1, 2, 3, (this._views = (this._views ?? 4) + 1)];
    this._push(Kind.VIEW, { view, startTime, type, url: "http://site.test/", route: "/", hidden: page.isHidden }, undefined, at);
  }

  /** Everything in the queue belongs to the view before or to the new one. */
  _softNavigation(page, { entry, known }) {
    const { startTime, duration } = entry;
    const end = startTime + duration;
    const rest = this._queue.filter((item) => !known.has(item) && (item.end > end || (item.end === end && item.start > startTime)));
    this._queue = this._queue.filter((item) => !rest.includes(item));
    this._count(page);
    this._view(page, startTime, NavigationType.SOFT_NAVIGATION, entry);
    this._push(Kind.SOFT_NAVIGATION, entry, undefined, entry);
    const largest = entry.getLargestInteractionContentfulPaint();
    if (largest) this._deliverSome(page, [largest]);
    this._queue.push(...rest);
  }

  _deliver(page, stored) {
    const entries = stored.map(entryOf).sort((a, b) => a.startTime - b.startTime);
    const known = new Set(this._queue);
    this._deliverSome(page, entries);
    const found = entries.filter(({ entryType }) => entryType === "soft-navigation" && page.supported.includes(entryType));
    this._softNavigations.push(...found.map((entry) => ({ entry, known })));
    if (found.length) this._isAsked = true;
    if (page.isHidden && this._isAsked) this._settle(page);
  }

  _deliverSome(page, entries) {
    for (const [type, record] of Object.entries(SOURCES)) {
      const own = entries.filter((entry) => entry.entryType === type && page.supported.includes(type));
      for (const { interactionId } of type === "event" ? own : []) this._see(interactionId);
      const kept = own.filter((entry) => type !== "event" || entry.duration >= EVENT_DURATION_MIN_MS);
      kept.forEach((entry, at) => {
        const { kind, item } = record(entry, at === kept.length - 1);
        this._push(kind, item, TARGETS[type]?.(entry), entry);
        if (kind === Kind.EVENT) this._isAsked = true;
      });
    }
  }

  _input(page, { trusted = true }) {
    if (!trusted) return;
    this._lifecycle(Lifecycle.INPUT, page);
    this._isAsked = true;
  }

  _loaded(page) {
    this._lifecycle(Lifecycle.LOADED, page);
    if (this._isStarted) this._navigation(page);
  }

  _navigation(page) {
    if (page.navigation && page.supported.includes("navigation")) this._push(Kind.NAVIGATION, page.navigation);
  }

  _settle(page) {
    for (const soft of this._softNavigations.splice(0)) this._softNavigation(page, soft);
    this._count(page);
    this._lifecycle(Lifecycle.IDLE, page);
    this._isAsked = false;
  }

  _see(id) {
    if (id) this._ids = { min: Math.min(this._ids.min, id), max: Math.max(this._ids.max, id) };
  }

  _count({ global }) {
    const { min, max } = this._ids;
    const count = global.performance.interactionCount ?? (max ? (max - min) / ID_STEP + 1 : 0);
    // Whatever view is about to begin: these interactions were before it.
    if (count > 0) this._push(Kind.INTERACTION_COUNT, count, undefined, { startTime: -Infinity, duration: 0 });
  }

  _begin(page) {
    if (this._isStarted) return;
    this._isStarted = true;
    const rest = this._queue.splice(0);
    this._push(Kind.START, this._start);
    this._navigation(page);
    this._queue.push(...rest);
  }

  _flush(page) {
    this._core.take(this._queue.splice(0), page.now);
  }
}
