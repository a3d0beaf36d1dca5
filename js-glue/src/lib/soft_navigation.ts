/** Soft navigations of the browser: whether it has them as web-vitals needs them, and the page wants views of them. */
import type { ViewsChoice } from "../types";
import type { LargestPaintEntry } from "./entries";
import { isSupported } from "./observe";

export interface InteractionPaintEntry extends PerformanceEntry {
  readonly interactionId: number;
  readonly largestContentfulPaint?: LargestPaintEntry | null;
}

export interface SoftNavigationEntry extends PerformanceEntry {
  readonly interactionId: number;
  readonly paintTime?: number;
  readonly presentationTime?: number;
  getLargestInteractionContentfulPaint(): InteractionPaintEntry | null;
}

/** Chromium's trials before the one that was shipped had no such method. */
export function hasSoftNavigations(views: ViewsChoice = "auto"): boolean {
  const { PerformanceSoftNavigation } = globalThis as { PerformanceSoftNavigation?: { prototype: Partial<SoftNavigationEntry> } };
  return (
    /^(auto|soft)/.test(views) &&
    isSupported("soft-navigation") &&
    !!PerformanceSoftNavigation?.prototype.getLargestInteractionContentfulPaint
  );
}
