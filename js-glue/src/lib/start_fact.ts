/** Who and where this page is, as it was when the SDK started. */
import type { StartFact } from "../bridge/marshal";
import { isInteractionSupported } from "../observe/entries";
import type { Options } from "../types";
import type { Watch } from "../watch";
import { isSupported } from "./observe";
import { randomId, type Id128 } from "./random";
import { hasSoftNavigations } from "./soft_navigation";

declare const VITRACE_VERSION: string;

interface NavigatorMore extends Navigator {
  readonly deviceMemory?: number;
  readonly connection?: { readonly effectiveType?: string };
}

/**
 * Bit (metric - 1) of each vital that this browser can measure; the others are reported as unsupported, never as 0. And
 * bit 5: views begin with soft navigations.
 */
function supportedBits(options: Options): number {
  const [lcp, cls, fcp, ttfb] = ["largest-contentful-paint", "layout-shift", "paint", "navigation"].map(isSupported);
  return [lcp, isInteractionSupported(), cls, fcp, ttfb, hasSoftNavigations(options.views)].reduce((bits, has, at) => bits | (+has! << at), 0);
}

/** The session is not looked up before the core starts: the first look into sessionStorage blocks for milliseconds. */
export function startFact(options: Options, page: Watch["page"], transport: number, session: Id128, route: string): StartFact {
  const { connection, deviceMemory, hardwareConcurrency, language } = navigator as NavigatorMore;
  return {
    ...page,
    view: randomId(),
    session,
    timeOrigin: performance.timeOrigin,
    transport,
    supported: supportedBits(options),
    app: options.app,
    release: options.release,
    environment: options.environment,
    sdkVersion: VITRACE_VERSION,
    route,
    referrer: document.referrer,
    viewportWidth: innerWidth,
    viewportHeight: innerHeight,
    devicePixelRatio,
    hardwareConcurrency,
    deviceMemory,
    effectiveType: connection?.effectiveType,
    language,
    isolated: !!globalThis.crossOriginIsolated,
    wasDiscarded: !!(document as Document & { wasDiscarded?: boolean }).wasDiscarded,
    readyState: ["loading", "interactive", "complete"].indexOf(page.readyState),
  };
}
