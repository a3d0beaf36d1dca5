// The options of vitrace-trace.js come from the tag's own attributes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, pageScript } from "./support/bundle.mjs";

const script = await pageScript("../../../js-glue/src/trace_file.ts");
const { Guard, HAND_OVER } = await load("lib/guard", "hand_over");

/** Runs the file as the tag would, beside a tag with these attributes; answers the options that it made of them. */
function optionsOf(attributes, given) {
  const options = { app: "shop", trace: ["same-origin"], tracing: given };
  const context = { guard: new Guard(), sink: { push() {}, lose() {} }, drains: [], stops: [] };
  globalThis.location = { origin: "http://shop.test" };
  globalThis.window = { fetch() {} };
  globalThis.XMLHttpRequest = class { open() {} send() {} setRequestHeader() {} };
  globalThis.document = {
    currentScript: { vitrace: { version: HAND_OVER, options, guard: context.guard, context } },
    querySelector: () => ({ getAttribute: (name) => attributes[name] ?? null }),
  };
  (0, eval)(script);
  assert.equal(context.guard.reason, "");
  assert.equal(context.stops.length, 2);
  return options.tracing;
}

test("no attribute but data-trace is every default", () => {
  assert.deepEqual(optionsOf({}), { sampleRate: undefined, tracestate: undefined, baggage: undefined, fragmentTag: false });
});

test("each attribute is read", () => {
  const tracing = optionsOf({
    "data-trace-sample-rate": "0.25", "data-tracestate": "a=b", "data-baggage": "tier=gold, user=a%2Cb", "data-fragment-tag": "",
  });
  assert.deepEqual(tracing, { sampleRate: 0.25, tracestate: "a=b", baggage: { tier: "gold", user: "a,b" }, fragmentTag: { except: [] } });
});

test("URLs in data-fragment-tag are where there is none", () => {
  const { fragmentTag } = optionsOf({ "data-fragment-tag": " http://shop.test/a  http://shop.test/b " });
  assert.deepEqual(fragmentTag, { except: ["http://shop.test/a", "http://shop.test/b"] });
});

test("options that are there already win", () => {
  assert.deepEqual(optionsOf({ "data-trace-sample-rate": "0.25" }, { sampleRate: 1 }), { sampleRate: 1 });
});
