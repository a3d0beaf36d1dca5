// Small rules: routes, selectors, sessions, own requests, interaction count.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/bundle.mjs";

const abi = await load("abi");
const { routeOf, routeFor, pathOf, settleRoutes, selectorOf, ownRequests, interactionCount, sessionOf, hexOf, newTraceparent, urlsOf } =
  await load("lib/route", "lib/selector", "lib/interaction_count", "lib/session", "lib/random", "lib/traceparent", "lib/urls");

test("numbers, uuids and long hex in a path become :id, words do not", () => {
  const cases = {
    "/": "/", "/p/123": "/p/:id", "/p/123/": "/p/:id/", "/users/0af76519-16cd-43dd-8448-eb211c80319c/edit": "/users/:id/edit",
    "/o/507f1f77bcf86cd799439011": "/o/:id", "/face/beef": "/face/beef", "/v2/items": "/v2/items", "/p/12a": "/p/12a",
  };
  for (const [path, route] of Object.entries(cases)) assert.equal(routeOf(path), route);
});

test("the application's route wins, its failure does not hurt", () => {
  assert.equal(routeFor("http://a/p/1?x=1", { route: "/fixed", routes: [["**", "/all"]] }), "/fixed");
  assert.equal(routeFor("http://a/p/1", { route: (url) => url.length > 3 && "fn" }), "fn");
  assert.equal(routeFor("http://a/p/1", { route: () => { throw new Error("no"); } }), "/p/:id");
  assert.equal(routeFor("http://a/p/1", { route: () => undefined }), "/p/:id");
  assert.equal(routeFor("http://a/p/1?q=2#f", {}), "/p/:id");
});

test("the first pattern that matches names the route, ids are found where none does", () => {
  const routes = [["/p/new", "/p/new"], ["/p/*", "/p/:slug"], ["/u/:name/orders/:id", "/u/:name/orders/:id"], ["/docs/**", "/docs"], ["/a.b+c", "/dots"]];
  const cases = {
    "/p/new": "/p/new", "/p/red-shoes": "/p/:slug", "/p/red-shoes/": "/p/:slug", "/p/a/b": "/p/a/b", "/p/": "/p/", "/u/bob/orders/9": "/u/:name/orders/:id",
    "/docs": "/docs", "/docs/": "/docs", "/docs/a/b": "/docs", "/docsy": "/docsy", "/a.b+c": "/dots", "/axb+c": "/axb+c", "/o/123": "/o/:id",
  };
  for (const [path, route] of Object.entries(cases)) assert.equal(routeFor("http://a" + path, { routes }), route, path);
  assert.equal(routeFor("http://a/p/7", { routes: 5 }), "/p/:id", "a mistake of the application hurts nobody");
});

test("the fragment of a hash router is the path, other fragments are none", () => {
  const cases = { "http://a/x#/p/7?tab=1": "/p/7", "http://a/x#/": "/", "http://a/x#top": "/x", "http://a/x?y#!": "/x", "http://a/#/a#b": "/a" };
  for (const [url, path] of Object.entries(cases)) assert.equal(pathOf(url), path);
});

test("a route named before its view was told becomes the view's own", () => {
  const { VIEW, ROUTE, ERROR } = abi.InboxKind;
  const views = [{}, { route: "/old" }];
  const queue = (...items) => ({ items });
  const waiting = queue([ROUTE, "/a"], [ERROR, 1], [ROUTE, "/b"], [VIEW, views[0]], [VIEW, views[1]], [ROUTE, "/c"]);
  assert.equal(settleRoutes(waiting, false), "/b");
  assert.deepEqual(waiting.items.map(([kind]) => kind), [ERROR, VIEW, VIEW]);
  assert.deepEqual(views, [{}, { route: "/c" }]);
  const told = queue([ROUTE, "/a"], [VIEW, views[0]], [ROUTE, "/d"]);
  assert.equal(settleRoutes(told, true), undefined);
  assert.deepEqual(told.items, [[ROUTE, "/a"], [VIEW, { route: "/d" }]]);
});

const element = (nodeName, { id = "", classes = [], parent = { nodeType: 9 }, nodeType = 1 } = {}) =>
  ({ nodeType, nodeName, id, classList: nodeType === 1 ? classes : undefined, parentNode: parent });

test("a selector walks up, sorts classes and stops at an id", () => {
  const main = element("MAIN", { id: "main", parent: element("BODY") });
  const button = element("BUTTON", { classes: ["z", "a"], parent: element("DIV", { parent: main }) });
  assert.equal(selectorOf(button), "#main>div>button.a.z");
});

test("a selector ends before 100 characters, unless its first part alone is longer", () => {
  const long = "c".repeat(60);
  const inner = element("DIV", { classes: [long], parent: element("DIV", { classes: [long] }) });
  assert.equal(selectorOf(inner), "div." + long);
  assert.equal(selectorOf(element("DIV", { classes: ["x".repeat(200)] })), "div." + "x".repeat(200));
});

test("a node that is gone has no selector, and a text node that of its parents", () => {
  const text = { nodeType: 3, nodeName: "#text", parentNode: element("P", { id: "lead" }) };
  assert.deepEqual([selectorOf(null), selectorOf(undefined), selectorOf(text)], ["", "", "#lead>TEXT"]);
});

test("only the SDK's own requests are its own", () => {
  const isOwn = ownRequests({ beacon: "https://rum.test/v1/beacon", wasm: "https://rum.test/v1/vitrace.wasm", workerUrl: undefined });
  assert.deepEqual(["https://rum.test/v1/beacon", "https://rum.test/v1/vitrace.wasm", "https://rum.test/app.js", "https://shop.test/"].map(isOwn), [true, true, false, false]);
});

test("interactions are counted from ids in steps of seven, none is zero", () => {
  const count = interactionCount();
  assert.equal(count.value(), 0);
  for (const id of [undefined, 0, 3507, 3500, 3514]) count.see(id);
  assert.equal(count.value(), 3);
});

function storage() {
  const store = new Map();
  return { store, getItem: (k) => store.get(k) ?? null, setItem: (k, v) => store.set(k, v) };
}
const minutes = (look) => (at) => hexOf(look(at * 60_000));

test("a session lives in its tab, and ends by idleness and by age", () => {
  globalThis.sessionStorage = storage();
  const at = (minute) => minutes(sessionOf())(minute);
  const first = at(1000);
  assert.equal(at(1029), first);
  assert.notEqual(at(1060), first);
  const second = at(1080);
  for (let minute = 1100; minute < 1299; minute += 20) assert.equal(at(minute), second);
  assert.notEqual(at(1310), second, "four hours after its birth");
});

test("a session of the origin is shared by its tabs, and lies in no tab", () => {
  globalThis.localStorage = storage();
  globalThis.sessionStorage = storage();
  assert.equal(minutes(sessionOf("origin"))(1), minutes(sessionOf("origin"))(2));
  assert.equal(sessionStorage.store.size, 0);
  assert.equal(localStorage.store.size, 1);
});

test("a document that stays gets a new session when its own has expired, and keeps it until then", () => {
  globalThis.sessionStorage = storage();
  const look = sessionOf("tab");
  const first = look(1000 * 60_000);
  assert.equal(look(1020 * 60_000), first, "the same array, so that nobody compares words");
  const second = look(1051 * 60_000);
  assert.notDeepEqual(second, first);
  assert.equal(look(1052 * 60_000), second);
  sessionStorage.store.clear();
  assert.equal(look(1053 * 60_000), second, "somebody cleared the storage");
});

test("with Global Privacy Control, with none or without storage a document is its own session and stores nothing", () => {
  const original = globalThis.navigator;
  globalThis.sessionStorage = globalThis.localStorage = storage();
  const expectOwn = (where) => {
    const look = sessionOf(where);
    assert.equal(look(1), look(9e9));
    assert.notEqual(hexOf(look(1)), hexOf(sessionOf(where)(1)));
    assert.equal(sessionStorage.store.size, 0);
  };
  expectOwn("none");
  Object.defineProperty(globalThis, "navigator", { value: { globalPrivacyControl: true }, configurable: true });
  expectOwn("tab");
  expectOwn("origin");
  Object.defineProperty(globalThis, "navigator", { value: original, configurable: true, writable: true });
  for (const text of ["{", "null", "[[1]]", "7"]) {
    globalThis.sessionStorage = { getItem: () => text, setItem() {} };
    assert.equal(hexOf(sessionOf()(1)).length, 32);
  }
  globalThis.sessionStorage = { getItem() { throw new Error("denied"); }, store: { size: 0 } };
  expectOwn("tab");
});

test("a traceparent is well-formed and never zero", () => {
  assert.match(newTraceparent(), /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-03$/);
  assert.notEqual(newTraceparent(), newTraceparent());
});

test("files come from beside the tag, or from the collector", () => {
  globalThis.document = { baseURI: "http://shop.test/a/b" };
  assert.deepEqual(urlsOf({ app: "a", endpoint: "https://rum.test/" }), { beacon: "https://rum.test/v1/beacon", part: "https://rum.test/v1/vitrace-",
    wasm: "https://rum.test/v1/vitrace.wasm", workerUrl: undefined });
  const own = urlsOf({ app: "a", endpoint: "https://rum.test", workerUrl: "/w.js", wasmUrl: "c.wasm" }, "https://cdn.test/x/");
  assert.deepEqual(own, { beacon: "https://rum.test/v1/beacon", part: "https://cdn.test/x/vitrace-", wasm: "http://shop.test/a/c.wasm", workerUrl: "http://shop.test/w.js" });
});
