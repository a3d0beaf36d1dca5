// Rage and dead clicks at their limits, on a page that is made of fakes and a clock that is turned by hand. What a real
// browser does with them is in entries_chromium.test.mjs.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { load } from "./support/bundle.mjs";

const { ClickPatternType: Type } = await load("abi");
const { observeRageClicks, observeDeadClicks, Guard } = await load("observe/rage_clicks", "observe/dead_clicks", "lib/guard");

const { setTimeout, clearTimeout } = globalThis;
const realTimers = { setTimeout, clearTimeout };
let timers, listeners, pushed, context, selection, hidden, mutations, resources;

/** An element with what the observers ask of it: `is` are the selectors that it, or what is around it, matches. */
function element(name, { is = [name], cursor = "auto", selected = false } = {}) {
  const matches = (list) => is.some((one) => list.split(",").includes(one));
  return { nodeType: 1, nodeName: name, id: name, parentNode: { nodeType: 9 }, cursor, selected, selectionStart: undefined, selectionEnd: undefined,
    closest: (list) => (matches(list) ? {} : null) };
}

function setUp() {
  listeners = [];
  pushed = [];
  selection = { type: "None", containsNode: (node) => node.selected };
  hidden = false;
  globalThis.window = globalThis;
  globalThis.addEventListener = (type, take, options) => {
    const one = { type, take };
    listeners.push(one);
    options.signal?.addEventListener("abort", () => listeners.splice(listeners.indexOf(one), 1));
  };
  globalThis.removeEventListener = (type, take) => (listeners = listeners.filter((one) => one.type !== type || one.take !== take));
  globalThis.document = { get visibilityState() { return hidden ? "hidden" : "visible"; } };
  globalThis.location = { href: "http://shop.test/" };
  globalThis.getSelection = () => selection;
  globalThis.getComputedStyle = ({ cursor }) => ({ cursor });
  const observer = (keep) => class {
    constructor(take) { keep(this); this.take = take; this.on = false; }
    observe() { this.on = true; }
    disconnect() { this.on = false; }
  };
  globalThis.MutationObserver = observer((one) => (mutations = one));
  globalThis.PerformanceObserver = observer((one) => (resources = one));
  context = { guard: new Guard(), sink: { push: (_kind, fact) => pushed.push(fact), lose: assert.fail }, drains: [], stops: [] };
  timers = [];
  globalThis.setTimeout = (run, ms = 0) => {
    const timer = { at: now + Math.max(ms, 1), run };
    timers.push(timer);
    return timer;
  };
  globalThis.clearTimeout = clearTimeoutOf;
}
beforeEach(setUp);
afterEach(() => {
  Object.assign(globalThis, realTimers);
  assert.equal(context.guard.swallowed, 0, context.guard.reason);
});

let now = 0;
const dispatch = (type, event = {}) => [...listeners].forEach((one) => one.type === type && one.take({ type, timeStamp: now, ...event }));
const click = (target, more) => dispatch("click", { isTrusted: true, target, clientX: 100, clientY: 100, defaultPrevented: false, ...more });
// Millisecond by millisecond: a timer that is set by another counts from then.
function pass(ms) {
  for (; ms > 0; ms--) {
    now++;
    for (const timer of timers.filter(({ at }) => at <= now)) {
      clearTimeoutOf(timer);
      timer.run();
    }
  }
}
const clearTimeoutOf = (timer) => (timers = timers.filter((one) => one !== timer));
const drain = () => context.drains.forEach((one) => one());
const entries = (...all) => resources.on && resources.take({ getEntries: () => all });

/** Clicks at these gaps, and the burst's end. */
function clicks(target, gaps, at = () => ({})) {
  gaps.forEach((gap, i) => { pass(gap); click(target, at(i)); });
  pass(1001);
}

test("three clicks within exactly a second are rage, a millisecond more is none", () => {
  observeRageClicks(context);
  clicks(element("buy"), [0, 500, 500]);
  assert.deepEqual(pushed.map(({ type, count, target, duration }) => [type, count, target, duration]), [[Type.RAGE, 3, "#buy", 1000]]);
  clicks(element("buy"), [0, 500, 501]);
  assert.equal(pushed.length, 1);
});

test("a burst is told once, when it is over, with all of its clicks", () => {
  observeRageClicks(context);
  const target = element("buy");
  for (let i = 0; i < 9; i++) { click(target); pass(100); }
  assert.equal(pushed.length, 0);
  pass(1000);
  assert.deepEqual([pushed.length, pushed[0].count, pushed[0].duration], [1, 9, 800]);
  pass(60_000);
  assert.equal(pushed.length, 1);
});

test("50 pixels from the first click is the same place, 51 and another element are not", () => {
  observeRageClicks(context);
  const target = element("buy");
  clicks(target, [0, 100, 100], (i) => ({ clientX: 100 + 15 * i, clientY: 100 + 20 * i }));
  assert.equal(pushed.length, 1);
  clicks(target, [0, 100, 100], (i) => ({ clientX: 100 + 25.5 * i }));
  pass(100); click(target); pass(100); click(target); pass(100); click(element("other")); pass(2000);
  assert.equal(pushed.length, 1);
});

test("clicks of scripts and clicks that select are none", () => {
  observeRageClicks(context);
  clicks(element("buy"), [0, 1, 1], () => ({ isTrusted: false }));
  selection.type = "Range";
  clicks(element("text", { selected: true }), [0, 1, 1]);
  clicks(Object.assign(element("field"), { selectionStart: 0, selectionEnd: 5 }), [0, 1, 1]);
  assert.equal(pushed.length, 0);
  clicks(element("buy"), [0, 1, 1]); // the selection is elsewhere
  assert.equal(pushed.length, 1);
});

test("a burst ends when the page is hidden, and only then at a drain", () => {
  observeRageClicks(context);
  const target = element("buy");
  for (let i = 0; i < 3; i++) { click(target); pass(10); }
  drain();
  assert.equal(pushed.length, 0);
  hidden = true;
  drain();
  drain();
  assert.equal(pushed.length, 1);
});

function suspect(target, more) {
  observeDeadClicks(context, (url) => url.endsWith("/v1/beacon"));
  click(target, more);
}

test("a button that nobody answers is dead, after the wait for late requests", () => {
  const at = now;
  suspect(element("button"));
  pass(1499);
  assert.equal(mutations.on, true);
  pass(1);
  assert.deepEqual([mutations.on, resources.on, listeners.length, pushed.length], [false, true, 1, 0]);
  pass(3500);
  assert.deepEqual(pushed, [{ time: at, type: Type.DEAD, count: 1, target: "#button", duration: 0 }]);
  assert.deepEqual([mutations.on, resources.on, listeners.length], [false, false, 1]);
});

const answers = {
  "a change of the page": () => mutations.take([]),
  "a scroll": () => dispatch("scroll"),
  "a focus": () => dispatch("focus"),
  "an input": () => dispatch("input"),
  "a selection": () => { selection.type = "Range"; dispatch("selectionchange"); },
  "another address": () => (location.href += "#menu"),
  "a request": () => entries({ name: "http://shop.test/api", startTime: now }),
  "a page that is hidden": () => { hidden = true; drain(); },
};
for (const [name, answer] of Object.entries(answers)) {
  test(`${name} answers a click`, () => {
    suspect(element("button"));
    pass(1000);
    answer();
    pass(10_000);
    assert.deepEqual(pushed, []);
    assert.deepEqual([mutations.on, resources.on, listeners.length], [false, false, 1]);
  });
}

test("what is no answer: a caret, requests of the SDK, of before the click and of after the wait", () => {
  const before = now;
  pass(10);
  suspect(element("button"));
  dispatch("selectionchange");
  entries({ name: "http://rum.test/v1/beacon", startTime: now }, { name: "http://shop.test/a", startTime: before });
  pass(1600);
  entries({ name: "http://shop.test/a", startTime: now });
  pass(5000);
  assert.equal(pushed.length, 1);
});

test("a request that began in time and ended later answers after all", () => {
  const at = now;
  suspect(element("button"));
  pass(4900);
  entries({ name: "http://shop.test/api", startTime: at + 1499 });
  pass(5000);
  assert.deepEqual(pushed, []);
});

test("the next click elsewhere ends the wait, but not the time that every answer has", () => {
  suspect(element("button"));
  pass(1600);
  click(element("other"));
  assert.equal(pushed.length, 1);
  pass(1000);
  click(element("button"));
  assert.equal(pushed.length, 1);
});

test("clicks on the same element are counted together and each gives it new time", () => {
  const target = element("button"), at = now;
  suspect(target);
  pass(1000);
  click(target);
  pass(1400);
  assert.equal(mutations.on, true);
  pass(600);
  click(target);
  pass(5000);
  assert.deepEqual(pushed, [{ time: at, type: Type.DEAD, count: 3, target: "#button", duration: 3000 }]);
});

test("only what looks as if it did something is suspected, and not what answers natively or is followed", () => {
  observeDeadClicks(context, () => false);
  const told = (target, more) => {
    const before = pushed.length;
    click(target, more);
    pass(6000);
    return pushed.length > before;
  };
  assert.equal(told(element("p", { is: [] })), false);
  assert.equal(told(element("p", { is: [], cursor: "pointer" })), true);
  assert.equal(told(element("canvas", { cursor: "pointer" })), false);
  assert.equal(told(element("a", { is: ["a", "a[href]"] })), false);
  assert.equal(told(element("a", { is: ["a", "a[href]"] }), { defaultPrevented: true }), true);
  assert.equal(told(element("button"), { isTrusted: false }), false);
});

test("a stop takes everything off", () => {
  suspect(element("button"));
  observeRageClicks(context);
  click(element("button"));
  context.stops.splice(0).forEach((stop) => stop());
  pass(60_000);
  assert.deepEqual([pushed.length, listeners.length, mutations.on, resources.on], [0, 0, false, false]);
});
