// Small rules: routes, selectors, sessions, own requests, interaction count.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/bundle.mjs";

const { routeOf, routeFor, selectorOf, ownRequests, interactionCount, sessionId, hexOf, newTraceparent, urlsOf } =
  await load("lib/route", "lib/selector", "lib/interaction_count", "lib/session", "lib/random", "lib/traceparent", "lib/urls");

test("numbers, uuids and long hex in a path become :id, words do not", () => {
  const cases = {
    "/": "/", "/p/123": "/p/:id", "/p/123/": "/p/:id/", "/users/0af76519-16cd-43dd-8448-eb211c80319c/edit": "/users/:id/edit",
    "/o/507f1f77bcf86cd799439011": "/o/:id", "/face/beef": "/face/beef", "/v2/items": "/v2/items", "/p/12a": "/p/12a",
  };
  for (const [path, route] of Object.entries(cases)) assert.equal(routeOf(path), route);
});

test("the application's route wins, its failure does not hurt", () => {
  assert.equal(routeFor("http://a/p/1?x=1", "/fixed"), "/fixed");
  assert.equal(routeFor("http://a/p/1", (url) => url.length > 3 && "fn"), "fn");
  assert.equal(routeFor("http://a/p/1", () => { throw new Error("no"); }), "/p/:id");
  assert.equal(routeFor("http://a/p/1?q=2#f", undefined), "/p/:id");
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

test("a session lives in its tab, and ends by idleness and by age", () => {
  const store = new Map();
  globalThis.sessionStorage = { getItem: (k) => store.get(k) ?? null, setItem: (k, v) => store.set(k, v) };
  const at = (minutes) => hexOf(sessionId(minutes * 60_000));
  const first = at(1000);
  assert.equal(at(1029), first);
  assert.notEqual(at(1060), first);
  const second = at(1080);
  for (let minutes = 1100; minutes < 1299; minutes += 20) assert.equal(at(minutes), second);
  assert.notEqual(at(1310), second, "four hours after its birth");
});

test("with Global Privacy Control or without storage every document is its own session", () => {
  const original = globalThis.navigator;
  const stored = [];
  globalThis.sessionStorage = { getItem: () => null, setItem: (...pair) => stored.push(pair) };
  Object.defineProperty(globalThis, "navigator", { value: { globalPrivacyControl: true }, configurable: true });
  assert.notEqual(hexOf(sessionId(1)), hexOf(sessionId(1)));
  assert.equal(stored.length, 0);
  Object.defineProperty(globalThis, "navigator", { value: original, configurable: true, writable: true });
  globalThis.sessionStorage = { getItem() { throw new Error("denied"); } };
  assert.equal(hexOf(sessionId(1)).length, 32);
});

test("a traceparent is well-formed and never zero", () => {
  assert.match(newTraceparent(), /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/);
  assert.notEqual(newTraceparent(), newTraceparent());
});

test("files come from beside the tag, or from the collector", () => {
  globalThis.document = { baseURI: "http://shop.test/a/b" };
  assert.deepEqual(urlsOf({ app: "a", endpoint: "https://rum.test/" }), { beacon: "https://rum.test/v1/beacon", bridge: "https://rum.test/v1/vitrace-bridge.js", trace: "https://rum.test/v1/vitrace-trace.js", files: "https://rum.test/v1/vitrace-", wasm: "https://rum.test/v1/vitrace.wasm",
    sdkWorker: "https://rum.test/v1/vitrace-worker.js", workerUrl: undefined });
  const own = urlsOf({ app: "a", endpoint: "https://rum.test", workerUrl: "/w.js", wasmUrl: "c.wasm" }, "https://cdn.test/x/");
  assert.deepEqual(own, { beacon: "https://rum.test/v1/beacon", bridge: "https://cdn.test/x/vitrace-bridge.js", trace: "https://cdn.test/x/vitrace-trace.js", files: "https://cdn.test/x/vitrace-", wasm: "http://shop.test/a/c.wasm",
    sdkWorker: "https://cdn.test/x/vitrace-bridge.js", workerUrl: "http://shop.test/w.js" });
});
