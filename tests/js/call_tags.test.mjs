// When the URL of a call gets a tag, by which its timing entry is known again, and when it must not.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./support/bundle.mjs";

const { observeFetch, observeXhr, Origins, Guard, Injection, CallTags } = await load(
  "observe/fetch", "observe/xhr", "lib/origins", "lib/guard", "lib/injection", "lib/call_tags");
const OWN = "http://shop.test";
const CHROMIUM = "Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const SAFARI = "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15";

let seen, pushed, given, open, now, browser;
Object.defineProperty(globalThis, "navigator", { configurable: true, get: () => browser });
Object.defineProperty(performance, "now", { value: () => now });

function setUp(fragmentTag = true, userAgent = CHROMIUM) {
  [seen, pushed, open, now] = [[], [], [], 5000];
  browser = { userAgent };
  globalThis.document = { baseURI: OWN + "/", head: { querySelectorAll: () => [{ href: OWN + "/preloaded" }] } };
  globalThis.window = { fetch: (input) => new Promise((done, fail) => (seen.push(String(input)), open.push({ done, fail }))) };
  const guard = new Guard();
  const context = { guard, sink: { push: (_kind, item) => pushed.push(item), lose() {} }, drains: [], stops: [] };
  given = [context, new Injection(guard, new Origins(["same-origin"], OWN)), new CallTags({ fragmentTag })];
  observeFetch(...given);
}
beforeEach(() => setUp());
const settle = () => new Promise((done) => setImmediate(done));
const start = (input, init) => void window.fetch(input, init).catch(() => {});
async function finish(n = 0) {
  open[n].done(new Response("ok"));
  await settle();
}

test("only a call that meets another one of its path gets a tag, and reports it", async () => {
  start("/api?a");
  start("/api?b");
  start("/other");
  start(new URL(OWN + "/api"));
  assert.deepEqual(seen, ["/api?a", OWN + "/api?b#vt-1", "/other", OWN + "/api#vt-2"]);
  for (const n of [0, 1, 2, 3]) await finish(n);
  assert.deepEqual(pushed.map(({ tag, url }) => [tag, url]), [[0, OWN + "/api?a"], [1, OWN + "/api?b"], [0, OWN + "/other"], [2, OWN + "/api"]]);
});

test("for a second after a call has ended its entry may still come", async () => {
  start("/api");
  await finish();
  now += 900;
  start("/api");
  await finish(1);
  now += 1001;
  start("/api");
  assert.deepEqual(seen, ["/api", OWN + "/api#vt-1", "/api"]);
});

test("off unless asked for", () => {
  setUp(false);
  start("/api");
  start("/api");
  assert.deepEqual(seen, ["/api", "/api"]);
});

test("never on a Request, a URL with a fragment, a preloaded or a very long one", () => {
  for (const input of [new Request(OWN + "/api"), "/api#own", "/api#", "/api?" + "x".repeat(400), "/preloaded"]) {
    setUp();
    start("/api");
    start("/preloaded?2"); // another call of the path, so that only the preload stands against the tag
    start(input);
    assert.equal(seen[2], String(input));
  }
});

test("never where a service worker controls the page, nor in Safari", () => {
  browser.serviceWorker = { controller: {} };
  start("/api");
  start("/api");
  assert.deepEqual(seen, ["/api", "/api"]);
  setUp(true, SAFARI);
  start("/api");
  start("/api");
  assert.deepEqual(seen, ["/api", "/api"]);
});

test("never on what the page excepts", () => {
  setUp({ except: [OWN + "/signed/"] });
  for (const path of ["/signed/a", "/signed/a", "/api", "/api"]) start(path);
  assert.deepEqual(seen, ["/signed/a", "/signed/a", "/api", OWN + "/api#vt-1"]);
});

test("a tagged call that failed below HTTP was the last one of its origin", async () => {
  start("/api");
  start("/api");
  open[1].fail(new TypeError("Failed to fetch"));
  await settle();
  start("/api");
  assert.equal(seen[2], "/api");
});

test("paths are remembered up to a bound, and forgotten when they are quiet", async () => {
  for (let n = 0; n < 101; n++) start("/p" + n);
  start("/p100");
  assert.equal(seen.at(-1), "/p100"); // one past the bound: not known, no tag
  await finish(0);
  now += 1001;
  start("/q");
  start("/q");
  assert.equal(seen.at(-1), OWN + "/q#vt-1");
});

test("XHR follows the same rules", () => {
  globalThis.XMLHttpRequest = class extends EventTarget {
    open(_method, url) { seen.push(String(url)); }
    setRequestHeader() {}
    send() {}
    getAllResponseHeaders() { return ""; }
  };
  observeXhr(...given);
  const requests = [1, 2].map(() => {
    const request = new XMLHttpRequest();
    request.open("GET", "/api");
    request.send();
    return request;
  });
  assert.deepEqual(seen, ["/api", OWN + "/api#vt-1"]);
  for (const request of requests) request.dispatchEvent(new Event("loadend"));
  assert.deepEqual(pushed.map(({ tag }) => tag), [0, 1]);
});
