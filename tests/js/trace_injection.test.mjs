// When a call gets a traceparent, what is reported of it, and that the page's own behaviour is kept.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./support/bundle.mjs";

const abi = await load("abi");
const { observeFetch, observeXhr, Origins, Guard, Injection, CallTags, newTraceparent } = await load(
  "observe/fetch", "observe/xhr", "lib/origins", "lib/guard", "lib/injection", "lib/call_tags", "lib/traceparent");
const OWN = "http://shop.test";
const API = "http://api.test";
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-03$/;

let calls, pushed, answer, source, guard, links;

/** A page whose fetch answers what the test says and remembers what it was given. */
function setUp({ trace = ["same-origin", API], ...tracing } = {}) {
  calls = [];
  pushed = [];
  links = [];
  guard = new Guard();
  answer = async () => new Response("ok", { status: 200, headers: { "server-timing": "db;dur=1" } });
  globalThis.document = { baseURI: OWN + "/a/", head: { querySelectorAll: () => links } };
  globalThis.window = { fetch: (...args) => { calls.push(args); return answer(...args); } };
  const context = { guard, sink: { push: (kind, item) => pushed.push({ kind, ...item }), lose() {} }, drains: [], stops: [] };
  const given = [context, new Injection(guard, new Origins(trace, OWN), tracing), new CallTags(tracing)];
  observeFetch(...given);
  source = { stop: () => context.stops.splice(0).forEach((stop) => stop()) };
  return given;
}
beforeEach(() => void setUp());
const header = (name, n = 0) => new Headers(calls[n][1]?.headers).get(name);
const sent = (n) => header("traceparent", n);

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

test("that is reported, and says where", async () => {
  answer = async () => { throw new TypeError("Failed to fetch"); };
  await assert.rejects(window.fetch(API + "/x"));
  assert.match(guard.reason, /blocked_cors_preflight.*api\.test/);
});

test("an abort by the page blocks nothing, whatever reason it gave", async () => {
  answer = async () => { throw Object.assign(new Error("aborted"), { name: "AbortError" }); };
  await assert.rejects(window.fetch(API + "/x"));
  answer = async () => { throw new Error("the user typed on"); };
  await assert.rejects(window.fetch(API + "/x", { signal: AbortSignal.abort() }));
  answer = async () => new Response("ok");
  await window.fetch(API + "/x");
  assert.match(sent(2), TRACEPARENT);
  assert.deepEqual(pushed.map(({ aborted }) => aborted), [true, true, false]);
});

test("on the own origin a failure blocks its path only: it redirects to where the header is not welcome", async () => {
  answer = async () => { throw new TypeError("Failed to fetch"); };
  await assert.rejects(window.fetch("/x?1"));
  answer = async () => new Response("ok");
  await window.fetch("/x?2");
  await window.fetch("/y");
  assert.equal(sent(1), null);
  assert.match(sent(2), TRACEPARENT);
});

test("a redirect to an origin that is not listed ends the injection on that path", async () => {
  const moved = new Response("ok");
  Object.defineProperties(moved, { redirected: { value: true }, url: { value: "http://login.test/" } });
  answer = async () => moved;
  await window.fetch("/old");
  await window.fetch("/old");
  assert.equal(sent(1), null);
  assert.equal(pushed[0].redirected, true);
});

test("a call that a preload was made for keeps its headers; the next one does not", async () => {
  links = [{ href: OWN + "/data" }];
  await window.fetch("/data");
  await window.fetch("/data");
  assert.equal(sent(0), null);
  assert.match(sent(1), TRACEPARENT);
});

test("blob: URLs have the page's origin and nobody to trace", async () => {
  await window.fetch("blob:" + OWN + "/1-2");
  assert.equal(calls[0][1], undefined);
  assert.equal(pushed.length, 0);
});

test("what the response tells of its length is reported, and a response without a body has ended", async () => {
  answer = async () => new Response("12345", { headers: { "content-length": "5" } });
  await window.fetch("/x");
  answer = async () => new Response(null, { status: 204 });
  await window.fetch("/y");
  assert.deepEqual(pushed.map(({ contentLength, end }) => [contentLength, end === undefined]), [[5, true], [0, false]]);
});

test("the random bit is always set, and the share that is sampled is read from the id", () => {
  const flags = (rate) => Array.from({ length: 400 }, () => newTraceparent(rate));
  assert.ok(flags(undefined).every((text) => text.endsWith("-03")));
  assert.ok(flags(1).every((text) => text.endsWith("-03")));
  assert.ok(flags(0).every((text) => text.endsWith("-02")));
  // The low 56 bits are the last 14 digits of the trace id; a quarter is sampled: those that begin with c, d, e, f.
  for (const text of flags(0.25)) assert.equal(text.endsWith("-03"), /^[c-f]/.test(text.slice(21)), text);
});

test("tracestate and baggage travel with the traceparent, never alone and never over the page's", async () => {
  setUp({ tracestate: "vt=a,other@x=b c", baggage: { "session.id": "a b,ü", tier: "gold" } });
  await window.fetch("/x");
  assert.deepEqual([header("tracestate"), header("baggage")], ["vt=a,other@x=b c", "session.id=a%20b%2C%C3%BC,tier=gold"]);
  await window.fetch("/x", { headers: { baggage: "mine=1", tracestate: "m=1" } });
  assert.deepEqual([header("tracestate", 1), header("baggage", 1)], ["m=1", "mine=1"]);
  await window.fetch("/x", { headers: { traceparent: "mine" } });
  await window.fetch("http://elsewhere.test/");
  assert.deepEqual([header("tracestate", 2), header("baggage", 2), header("baggage", 3)], [null, null, null]);
});

test("a bad tracestate or baggage is left out, with a reason, and the traceparent is not", async () => {
  const many = Array.from({ length: 33 }, (_, n) => `k${n}=v`).join(",");
  for (const tracestate of ["Upper=1", "a", "a=", "a=1,a=2", "a=b=c", "=1", "a=\u00e9", "x".repeat(257) + "=1", many]) {
    setUp({ tracestate });
    await window.fetch("/x");
    assert.equal(header("tracestate"), null, tracestate);
    assert.match(sent(), TRACEPARENT);
    assert.match(guard.reason, /tracestate/);
  }
  for (const baggage of [{ "a b": "1" }, { "": "1" }, { a: "x".repeat(8200) }]) {
    setUp({ baggage });
    await window.fetch("/x");
    assert.equal(header("baggage"), null);
    assert.match(guard.reason, /baggage/);
  }
});

test("32 members of a tracestate, empty ones between them, are as many as there may be", async () => {
  setUp({ tracestate: Array.from({ length: 32 }, (_, n) => `k${n}=v`).join(" ,, ") });
  await window.fetch("/x");
  assert.ok(header("tracestate"));
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
    getAllResponseHeaders() { return "Content-Length: 12\r\nServer-Timing: app;dur=2\r\n"; }
    answer(status, url) {
      Object.assign(this, { readyState: 2, status, responseURL: url });
      this.dispatchEvent(new Event("readystatechange"));
      this.dispatchEvent(new Event("loadend"));
    }
    leave(how) { this.dispatchEvent(new Event(how)); this.dispatchEvent(new Event("loadend")); }
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
  const given = setUp({ baggage: { a: "1" } });
  observeXhr(...given);
  const own = xhr("get", "/x");
  own.answer(200, OWN + "/x");
  assert.match(own.sent.traceparent, TRACEPARENT);
  assert.deepEqual([own.args, own.body], [["get", "/x"], "body"]);
  const [call] = pushed;
  assert.deepEqual([call.method, call.url, call.status, call.traceparent, call.serverTiming, call.redirected],
    ["GET", OWN + "/x", 200, own.sent.traceparent, "app;dur=2", false]);
  assert.ok(call.end >= call.headers && call.headers >= call.start);
  assert.deepEqual([call.contentLength, own.sent.baggage], [12, "a=1"]);

  assert.equal(xhr("GET", "/x", ["TraceParent", "mine"]).sent.traceparent, "mine");
  assert.equal(xhr("GET", "http://elsewhere.test/").sent.traceparent, undefined);
  assert.match(xhr("GET", API + "/x").sent.traceparent, TRACEPARENT);
  for (const how of ["abort", "timeout"]) {
    xhr("GET", API + "/x").leave(how);
    assert.equal(pushed.at(-1).aborted, true);
  }
  xhr("GET", API + "/x").fail();
  assert.equal(xhr("GET", API + "/x").sent.traceparent, undefined);
  assert.match(xhr("GET", "/x").sent.traceparent, TRACEPARENT);

  source.stop();
  assert.equal(xhr("GET", "/x").sent.traceparent, undefined);
});
