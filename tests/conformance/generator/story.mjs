/** Builds one scenario: the clock runs by itself, and what every page has is there unless it is said otherwise. */
const NAVIGATION = {
  fetchStart: 2.5, domainLookupStart: 10, domainLookupEnd: 30.5, connectStart: 30.5, secureConnectionStart: 40,
  connectEnd: 60.2, requestStart: 61, responseStart: 120.7, responseEnd: 180,
};

export const body = (rest) => "HTML>BODY>" + rest;

export class Story {
  constructor(name, page = {}) {
    this.name = name;
    this.page = { start: 200, navigation: NAVIGATION, ...page };
    if (page.navigation) this.page.navigation = { ...NAVIGATION, ...page.navigation };
    this.steps = [];
    this.now = this.page.start;
  }

  at(time) {
    this.now = time;
    return this;
  }

  wait(ms) {
    return this.at(Math.round((this.now + ms) * 10) / 10);
  }

  step(what, more = {}) {
    this.steps.push({ at: this.now, do: what, ...more });
    return this;
  }

  deliver(...entries) {
    return this.step("deliver", { entries });
  }

  idle() {
    return this.step("idle");
  }

  /** First paint, load and an idle moment: from here on a page can be talked about. */
  loaded(fcp = 250) {
    return this.at(Math.max(fcp + 20, this.now)).deliver(paint(fcp)).wait(100).step("load").wait(50).idle();
  }

  count(interactions) {
    return this.step("count", { interactions });
  }

  hide(more) {
    return this.wait(40).step("hide", more);
  }

  show() {
    return this.wait(500).step("show");
  }

  /** Left and restored, as a browser tells it: pagehide comes before the change to hidden, and pageshow after the other. */
  restore(awayMs = 4000) {
    return this.wait(20).step("pagehide", { persisted: true }).step("hide").wait(awayMs).step("show").step("pageshow", { persisted: true }).wait(31.7).step("frames");
  }
}

export const paint = (startTime, name = "first-contentful-paint") => ({ entryType: "paint", name, startTime });
export const largest = (startTime, more = {}) => ({ entryType: "largest-contentful-paint", startTime, size: 1000, element: body("IMG.hero"), ...more });
export const shift = (startTime, value, more = {}) => ({ entryType: "layout-shift", startTime, value, sources: [body("P.b")], ...more });
export const resource = (name, startTime, more = {}) => ({
  entryType: "resource", name, startTime, fetchStart: startTime, requestStart: startTime + 5, responseStart: startTime + 30, responseEnd: startTime + 90, ...more,
});
export const hidden = (startTime) => ({ entryType: "visibility-state", name: "hidden", startTime });
export const visible = (startTime) => ({ entryType: "visibility-state", name: "visible", startTime });

/** An interaction's event; by default handled at once, and slow for its own handlers. */
export const event = (startTime, duration, interactionId, more = {}) => ({
  entryType: "event", name: "pointerdown", startTime, duration, processingStart: startTime + 2, processingEnd: startTime + duration - 4,
  interactionId, target: body(`BUTTON#b${interactionId}`), ...more,
});
export const firstInput = (startTime, duration, interactionId, more = {}) => event(startTime, duration, interactionId, { entryType: "first-input", ...more });
