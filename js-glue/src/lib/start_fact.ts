/** Who and where this page is, as it was when the SDK started. */
import { Metric } from "../abi";
import type { StartFact } from "../bridge/marshal";
import { isInteractionSupported } from "../observe/event";
import type { Options } from "../types";
import { isSupported } from "./observe";
import { randomId } from "./random";
import { routeFor } from "./route";
import { isPrerendering } from "./when_activated";

declare const VITRACE_VERSION: string;

interface NavigatorMore extends Navigator {
  readonly deviceMemory?: number;
  readonly connection?: { readonly effectiveType?: string };
}

/** Bit (metric - 1) of each vital that this browser can measure; the others are reported as unsupported, never as 0. */
function supportedMetrics(): number {
  const bit = (metric: Metric, can: boolean) => (can ? 1 << (metric - 1) : 0);
  return (
    bit(Metric.LCP, isSupported("largest-contentful-paint")) |
    bit(Metric.INP, isInteractionSupported()) |
    bit(Metric.CLS, isSupported("layout-shift")) |
    bit(Metric.FCP, isSupported("paint")) |
    bit(Metric.TTFB, isSupported("navigation"))
  );
}

/**
 * As it is when the SDK starts. Two things are filled in when the core does: the transport, which is not known yet, and
 * the session, because the first look into sessionStorage blocks for milliseconds.
 */
export function startFact(options: Options): StartFact {
  const { connection, deviceMemory, hardwareConcurrency, language } = navigator as NavigatorMore;
  return {
    view: randomId(),
    session: [0, 0, 0, 0],
    timeOrigin: performance.timeOrigin,
    transport: 0,
    supported: supportedMetrics(),
    app: options.app,
    release: options.release ?? "",
    environment: options.environment ?? "",
    sdkVersion: VITRACE_VERSION,
    url: location.href,
    route: routeFor(location.href, options.route),
    referrer: document.referrer,
    viewportWidth: innerWidth,
    viewportHeight: innerHeight,
    devicePixelRatio,
    hardwareConcurrency,
    deviceMemory,
    effectiveType: connection?.effectiveType,
    language,
    isolated: typeof crossOriginIsolated === "boolean" && crossOriginIsolated,
    hidden: document.visibilityState === "hidden",
    prerendering: isPrerendering(),
    wasDiscarded: (document as Document & { wasDiscarded?: boolean }).wasDiscarded === true,
    readyState: ["loading", "interactive", "complete"].indexOf(document.readyState),
  };
}
