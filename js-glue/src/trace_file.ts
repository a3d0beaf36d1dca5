/**
 * vitrace-trace.js, loaded by the tag at once when it has data-trace. Its own options it reads by itself, so that pages
 * without tracing do not carry their names:
 *   data-trace-sample-rate="0.1" data-tracestate="a=b" data-baggage="key=percent-encoded,..." data-fragment-tag[="URL ..."]
 */
import { handedOver } from "./hand_over";
import { observeCalls } from "./observe/calls";
import type { TracingOptions } from "./types";

function tracingOf(tag: Element | null): TracingOptions {
  const text = (name: string) => tag?.getAttribute("data-" + name) ?? undefined;
  const [rate, baggage, fragment] = ["trace-sample-rate", "baggage", "fragment-tag"].map(text);
  const member = (pair: string) => pair.split("=").map((part) => decodeURIComponent(part.trim())) as [string, string];
  return {
    sampleRate: rate ? +rate : undefined,
    tracestate: text("tracestate"),
    baggage: baggage ? Object.fromEntries(baggage.split(",").map(member)) : undefined,
    fragmentTag: fragment === undefined ? false : { except: fragment.split(/\s+/).filter(Boolean) },
  };
}

handedOver((watch) => {
  watch.guard.run(() => (watch.options.tracing ??= tracingOf(document.querySelector("script[data-trace]"))));
  observeCalls(watch);
});
