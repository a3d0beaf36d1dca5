import type { ClickPatternType, ErrorOrigin } from "../abi";

/** Entry types that TypeScript's DOM library does not have yet. Fields that not every browser has are optional. */
export interface ResourceEntry extends PerformanceResourceTiming {
  readonly firstInterimResponseStart?: number;
  readonly finalResponseHeadersStart?: number;
  readonly deliveryType?: string;
  readonly renderBlockingStatus?: string;
}

export interface NavigationEntry extends PerformanceNavigationTiming {
  readonly activationStart?: number;
  readonly firstInterimResponseStart?: number;
  readonly finalResponseHeadersStart?: number;
  readonly deliveryType?: string;
  readonly notRestoredReasons?: NotRestored | null;
}

/** A frame, and why it could not be kept. Of a frame of another origin only some is disclosed. */
export interface NotRestored {
  readonly url?: string | null;
  readonly src?: string | null;
  readonly reasons?: readonly { readonly reason: string }[] | null;
  readonly children?: readonly NotRestored[] | null;
}

export interface ElementEntry extends PerformanceEntry {
  readonly identifier: string;
  readonly renderTime: number;
  readonly loadTime: number;
  readonly intersectionRect: DOMRectReadOnly;
  readonly id: string;
  readonly url: string;
  readonly element?: Element | null;
}

export interface LargestPaintEntry extends PerformanceEntry {
  readonly renderTime: number;
  readonly loadTime: number;
  readonly size: number;
  readonly id: string;
  readonly url: string;
  readonly element?: Element | null;
}

export interface LayoutShiftEntry extends PerformanceEntry {
  readonly value: number;
  readonly hadRecentInput: boolean;
  readonly sources?: readonly { readonly node?: Node | null }[];
}

export interface EventEntry extends PerformanceEntry {
  readonly processingStart: number;
  readonly processingEnd: number;
  readonly interactionId?: number;
  readonly cancelable: boolean;
  readonly target: Node | null;
  readonly targetSelector?: string;
}

export interface FrameScriptEntry extends PerformanceEntry {
  readonly sourceURL: string;
  readonly sourceFunctionName: string;
  readonly invoker: string;
  readonly invokerType: string;
  readonly forcedStyleAndLayoutDuration: number;
  readonly pauseDuration: number;
  readonly sourceCharPosition: number;
}

/** What observers pass that is no PerformanceEntry. */
export interface ErrorFact {
  readonly time: number;
  readonly type: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly source: string;
  readonly line: number;
  readonly column: number;
  readonly origin: ErrorOrigin;
}

export interface CustomFact {
  readonly time: number;
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface ClickFact {
  /** Of the first click. */
  readonly time: number;
  readonly type: ClickPatternType;
  readonly count: number;
  readonly target: string;
  readonly duration: number;
}

export interface MetricFact extends CustomFact {
  readonly value: number;
  readonly unit: string;
}

export interface CallFact {
  readonly url: string;
  readonly method: string;
  readonly start: number;
  readonly headers: number | undefined;
  readonly end: number | undefined;
  readonly status: number;
  readonly redirected: boolean;
  readonly traceparent: string;
  readonly serverTiming: string;
  readonly contentLength: number;
  readonly tag: number;
  /** By the page: then status 0 says nothing about the network. */
  readonly aborted: boolean;
}
