// Views that begin when the route changes: by the Navigation API, or by wrapped history.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./support/bundle.mjs";

const { observeRoutes, watchesRoutes, Guard, NavigationType } = await load("observe/routes", "lib/guard", "abi");

let page;
let views;
let context;

/** A page of as much browser as routes need. `supported`: entry types; `api`: the Navigation API. */
function pageAt(href, { api = false, supported = [] } = {}) {
  page = new EventTarget();
  class History {
    pushState(_state, _title, url) {
      if (url === "denied") throw new Error("SecurityError");
      if (url) location.href = new URL(url, location.href).href;
    }
    replaceState(...args) {
      History.prototype.pushState.apply(this, args);
    }
  }
  globalThis.window = page;
  globalThis.history = new History();
  globalThis.location = { href };
  globalThis.document = { visibilityState: "visible" };
  globalThis.PerformanceObserver = { supportedEntryTypes: supported };
  if (api) page.navigation = new EventTarget();
  views = [];
  context = { guard: new Guard(), stops: [], drains: [], sink: {} };
}

function go(href) {
  location.href = href;
  page.navigation.dispatchEvent(new Event("currententrychange"));
}

const watch = (from = location.href) => observeRoutes(context, from, (view) => views.push(view));
const urls = () => views.map(({ url }) => url);

beforeEach(() => pageAt("http://a/p/1?q=1"));

test("a new path is a new view; queries, fragments and the same path are not", () => {
  watch();
  history.pushState({}, "", "/p/1?q=2");
  history.replaceState({}, "", "/p/1#top");
  history.pushState({}, "");
  assert.deepEqual(urls(), []);
  history.pushState({}, "", "/p/2?x");
  history.replaceState({}, "", "/p/3");
  assert.deepEqual(urls(), ["http://a/p/2?x", "http://a/p/3"]);
  assert.equal(views[0].type, NavigationType.ROUTE_CHANGE);
  assert.equal(views[0].hidden, false);
  assert.ok(views[1].startTime >= views[0].startTime);
});

test("going back and hash routes are seen by their events", () => {
  watch();
  location.href = "http://a/";
  page.dispatchEvent(new Event("popstate"));
  location.href = "http://a/#/cart?x";
  page.dispatchEvent(new Event("hashchange"));
  location.href = "http://a/#/cart?y";
  page.dispatchEvent(new Event("hashchange"));
  assert.deepEqual(urls(), ["http://a/", "http://a/#/cart?x"]);
});

test("where the Navigation API is, history stays as it was", () => {
  pageAt("http://a/", { api: true });
  watch();
  assert.equal(Object.hasOwn(history, "pushState"), false);
  go("http://a/?q");
  go("http://a/cart");
  go("http://a/cart");
  assert.deepEqual(urls(), ["http://a/cart"]);
  context.stops.forEach((stop) => stop());
  go("http://a/later");
  assert.equal(views.length, 1);
});

test("a route that changed before anybody watched begins at once", () => {
  location.href = "http://a/login";
  watch("http://a/");
  assert.deepEqual(urls(), ["http://a/login"]);
});

test("what history throws and returns is the page's, what we throw is not", () => {
  observeRoutes(context, location.href, () => {
    throw new Error("ours");
  });
  assert.throws(() => history.pushState({}, "", "denied"), /SecurityError/);
  history.pushState({}, "", "/x");
  assert.equal(context.guard.swallowed, 1);
});

test("stopping gives history back as it was found", () => {
  const own = history.replaceState;
  history.replaceState = own;
  watch();
  context.stops.forEach((stop) => stop());
  assert.equal(Object.hasOwn(history, "pushState"), false);
  assert.equal(history.replaceState, own);
});

test("a wrapper around ours stays when we go", () => {
  watch();
  const ours = history.pushState;
  const theirs = (history.pushState = function (...args) {
    return ours.apply(this, args);
  });
  context.stops.forEach((stop) => stop());
  assert.equal(history.pushState, theirs);
});

test("soft navigations go before route changes, unless the page says otherwise", () => {
  assert.deepEqual([undefined, "auto", "route-change", "soft-navigation", "load"].map((views) => watchesRoutes(views)), [true, true, true, false, false]);
  pageAt("http://a/", { supported: ["soft-navigation"] });
  assert.ok(watchesRoutes("auto"), "as in trials that had no way to ask for the largest paint");
  globalThis.PerformanceSoftNavigation = class { getLargestInteractionContentfulPaint() {} };
  assert.deepEqual([undefined, "auto", "route-change"].map((views) => watchesRoutes(views)), [false, false, true]);
  delete globalThis.PerformanceSoftNavigation;
});
