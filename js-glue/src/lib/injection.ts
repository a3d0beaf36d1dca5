/**
 * Which headers a call gets from us. A header can break a call (a preflight that the server refuses) or cost a second
 * download (a preload that no longer fits), so: only listed origins, never over one that is there, not on the call that
 * a preload was made for, and not again where a call with it failed below HTTP.
 */
import type { TracingOptions } from "../types";
import type { Guard } from "./guard";
import type { Origins } from "./origins";
import { newTraceparent } from "./traceparent";
import { baggageOf, isTracestate } from "./tracestate";

const PRELOADS_MAX = 100;

export interface Injected {
  readonly traceparent: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

const NOTHING: Injected = { traceparent: "", headers: [] };

export class Injection {
  private readonly _sampleRate: number | undefined;
  private readonly _more: [name: string, value: string][] = [];
  private readonly _consumed = new Set<string>();

  constructor(
    private readonly _guard: Guard,
    readonly origins: Origins,
    { sampleRate, tracestate, baggage }: TracingOptions = {},
  ) {
    this._sampleRate = sampleRate;
    this._add("tracestate", tracestate, tracestate && isTracestate(tracestate) ? tracestate : undefined);
    this._add("baggage", baggage, baggage && baggageOf(baggage));
  }

  private _add(name: string, given: unknown, valid: string | undefined): void {
    if (valid) this._more.push([name, valid]);
    else if (given) this._guard.reason ||= `tracing.${name} is not valid`;
  }

  plan(url: URL, isPreloaded: boolean, has: (name: string) => boolean): Injected {
    if (isPreloaded || has("traceparent") || !this.origins.mayInject(url)) return NOTHING;
    const traceparent = newTraceparent(this._sampleRate);
    return { traceparent, headers: [["traceparent", traceparent], ...this._more.filter(([name]) => !has(name))] };
  }

  /** Is this the GET for which the response is on its way already? One call consumes it; the next one is like any other. */
  consumesPreload({ href }: URL, method: string): boolean {
    const bare = href.split("#")[0];
    if (method !== "GET" || this._consumed.has(bare)) return false;
    const links = document.head?.querySelectorAll<HTMLLinkElement>("link[rel~=preload]") ?? [];
    const isPreloaded =
      [...links].some((link) => link.href === bare) ||
      performance.getEntriesByName(bare).some((entry) => /^link$|hint/.test((entry as PerformanceResourceTiming).initiatorType));
    if (isPreloaded && this._consumed.size < PRELOADS_MAX) this._consumed.add(bare);
    return isPreloaded;
  }

  failed(url: URL, { traceparent }: Injected): void {
    if (!traceparent) return;
    this.origins.block(url);
    this._guard.reason ||= "blocked_cors_preflight or no network: " + url.origin;
  }

  /** The header went along to where the redirect led. It did no harm this time, and that host was never listed. */
  redirected(url: URL, to: string): void {
    if (to && !this.origins.lists(new URL(to))) this.origins.block(url);
  }
}
