// When a call gets a traceparent, what is reported of it, and that the page's own behaviour is kept.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./support/bundle.mjs";

const abi = await load("abi");
const { observeFetch, observeXhr, Origins, Guard } = await load("observe/fetch", "observe/xhr", "lib/origins", "lib/guard");
const OWN = "http://shop.test";
const API = "http://api.test";
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/;

let calls, pushed, answer, source;

/** A page whose fetch answers what the test says and remembers what it was given. */
function setUp(trace = ["same-origin", API]) {
  calls = [];
  pushed = [];
  answer = async () => new Response("ok", { status: 200, headers: { "server-timing": "db;dur=1" } });
  globalThis.document = { baseURI: OWN + "/a/" };
  globalThis.window = { fetch: (...args) => { calls.push(args); return answer(...args); } };
  const context = { guard: new Guard(), sink: { push: (kind, item) => pushed.push({ kind, ...item }), lose() {} }, drains: [], stops: [] };
  const origins = new Origins(trace, OWN);
  observeFetch(context, origins);
  source = { stop: () => context.stops.splice(0).forEach((stop) => stop()) };
  return { context, origins };
}
beforeEach(() => void setUp());
const sent = (n = 0) => new Headers(calls[n][1]?.headers).get("traceparent");

test("a same-origin call gets a new traceparent and is reported with it", async () => {
  await window.fetch("../api?x=1", { method: "post" });
  assert.match(sent(), TRACEPARENT);
  const [call] = pushed;
  assert.equal(call.kind, abi.InboxKind.CALL);
  assert.deepEqual([call.url, call.method, call.status, call.traceparent, call.serverTiming], [OWN + "/api?x=1", "POST", 200, sent(), "db;dur=1"]);
  assert.ok(call.headers >= call.start && call.end === undefined);
});

test("two calls are two traces", async () => {
  await window.fetch("/1");
  await window.fetch("/2");
  assert.notEqual(sent(0), sent(1));
});

test("an origin that is not listed passes through untouched and unreported", async () => {
  const init = { headers: { a: "b" } };
  await window.fetch("http://elsewhere.test/x", init);
  assert.equal(calls[0][1], init);
  assert.equal(pushed.length, 0);
});

test("an existing traceparent is never overwritten, in headers or in a Request", async () => {
  await window.fetch("/x", { headers: { TraceParent: "mine" } });
  await window.fetch(new Request(API + "/x", { headers: { traceparent: "theirs" } }));
  assert.equal(sent(0), "mine");
  assert.equal(calls[1][1], undefined);
  assert.deepEqual(pushed.map((call) => call.traceparent), ["", ""]);
});

test("no-cors and navigate calls keep their headers", async () => {
  await window.fetch(API + "/pixel", { mode: "no-cors" });
  assert.equal(sent(), null);
  assert.equal(pushed[0].traceparent, "");
});

test("the other headers and options of a call stay", async () => {
  await window.fetch("/x", { method: "PUT", body: "b", credentials: "include", headers: [["x-a", "1"]] });
  const [, init] = calls[0];
  assert.deepEqual([init.method, init.body, init.credentials, new Headers(init.headers).get("x-a")], ["PUT", "b", "include", "1"]);
});

test("a Request keeps its headers and its referrer", async () => {
  const request = new Request(API + "/x", { headers: { "x-a": "1" }, referrerPolicy: "origin" });
  await window.fetch(request);
  const [input, init] = calls[0];
  assert.equal(input, request);
  assert.deepEqual([new Headers(init.headers).get("x-a"), init.referrerPolicy, init.referrer], ["1", "origin", request.referrer]);
  assert.match(sent(), TRACEPARENT);
});

test("after a network failure of an injected cross-origin call that origin is left alone", async () => {
  answer = async () => { throw new TypeError("Failed to fetch"); };
  await assert.rejects(window.fetch(API + "/x"), /Failed to fetch/);
  answer = async () => new Response("ok");
  await window.fetch(API + "/y");
  await window.fetch("/own");
  assert.equal(sent(1), null);
  assert.match(sent(2), TRACEPARENT);
  assert.deepEqual(pushed.map(({ status, traceparent }) => [status, traceparent !== ""]), [[0, true], [200, false], [200, true]]);
});

test("an abort by the page, and a failure on the own origin, block nothing", async () => {
  answer = async () => { throw Object.assign(new Error("aborted"), { name: "AbortError" }); };
  await assert.rejects(window.fetch(API + "/x"));
  answer = async () => { throw new TypeError("Failed to fetch"); };
  await assert.rejects(window.fetch("/x"));
  answer = async () => new Response("ok");
  await window.fetch(API + "/x");
  await window.fetch("/x");
  assert.match(sent(2), TRACEPARENT);
  assert.match(sent(3), TRACEPARENT);
});

test("an HTTP error is an answer and blocks nothing", async () => {
  answer = async () => new Response("no", { status: 503 });
  await window.fetch(API + "/x");
  await window.fetch(API + "/x");
  assert.match(sent(1), TRACEPARENT);
  assert.equal(pushed[0].status, 503);
});

test("a URL that cannot be parsed reaches the browser, whose error the page gets", async () => {
  answer = async () => { throw new TypeError("Invalid URL"); };
  await assert.rejects(window.fetch("http://["), /Invalid URL/);
  assert.equal(calls[0][0], "http://[");
});

test("the page gets the very response, and rejections stay unhandled unless it handles them", async () => {
  const response = new Response("ok");
  answer = async () => response;
  assert.equal(await window.fetch("/x"), response);
});

test("stop gives the page its own fetch back, unless somebody wrapped ours", () => {
  const ours = window.fetch;
  source.stop();
  assert.notEqual(window.fetch, ours);
  setUp();
  const wrapper = (...args) => args;
  window.fetch = wrapper;
  source.stop();
  assert.equal(window.fetch, wrapper);
});

/** XMLHttpRequest as far as the wrapper touches it. */
function xhrClass() {
  return class XMLHttpRequest extends EventTarget {
    readyState = 0; status = 0; responseURL = ""; sent = {};
    open(method, url) { this.args = [method, url]; }
    setRequestHeader(name, value) { this.sent[name.toLowerCase()] = value; }
    send(body) { this.body = body; }
    getAllResponseHeaders() { return "content-type: text/plain\r\nServer-Timing: app;dur=2\r\n"; }
    answer(status, url) {
      Object.assign(this, { readyState: 2, status, responseURL: url });
      this.dispatchEvent(new Event("readystatechange"));
      this.dispatchEvent(new Event("loadend"));
    }
    fail() { this.dispatchEvent(new Event("error")); this.dispatchEvent(new Event("loadend")); }
  };
}
function xhr(method, url, header) {
  const request = new globalThis.XMLHttpRequest();
  request.open(method, url);
  if (header) request.setRequestHeader(...header);
  request.send("body");
  return request;
}

test("XHR follows the same rules", () => {
  globalThis.XMLHttpRequest = xhrClass();
  const { context, origins } = setUp();
  observeXhr(context, origins);
  const xhrs = { stop: () => context.stops.splice(0).forEach((stop) => stop()) };
  const own = xhr("get", "/x");
  own.answer(200, OWN + "/x");
  assert.match(own.sent.traceparent, TRACEPARENT);
  assert.deepEqual([own.args, own.body], [["get", "/x"], "body"]);
  const [call] = pushed;
  assert.deepEqual([call.method, call.url, call.status, call.traceparent, call.serverTiming, call.redirected],
    ["GET", OWN + "/x", 200, own.sent.traceparent, "app;dur=2", false]);
  assert.ok(call.end >= call.headers && call.headers >= call.start);

  assert.equal(xhr("GET", "/x", ["TraceParent", "mine"]).sent.traceparent, "mine");
  assert.equal(xhr("GET", "http://elsewhere.test/").sent.traceparent, undefined);
  assert.match(xhr("GET", API + "/x").sent.traceparent, TRACEPARENT);
  xhr("GET", API + "/x").fail();
  assert.equal(xhr("GET", API + "/x").sent.traceparent, undefined);
  assert.match(xhr("GET", "/x").sent.traceparent, TRACEPARENT);

  xhrs.stop();
  assert.equal(xhr("GET", "/x").sent.traceparent, undefined);
});
