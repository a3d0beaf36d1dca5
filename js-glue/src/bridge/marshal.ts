/**
 * Entry -> inbox words: all knowledge of record layouts on this side of the boundary (wasm/abi/inbox.h is the other).
 *
 * Reading an entry costs more than everything done with it, so a getter is called only when its value is not implied
 * by one already read. Fields are stored by unrolled assignments: a loop over names would be several times dearer.
 */
import {
  InboxAttribute,
  InboxCall,
  InboxCustomEvent,
  InboxError,
  InboxEvent,
  InboxFrameScript,
  InboxInteractionCount,
  InboxKind,
  InboxLargestPaint,
  InboxLayoutShift,
  InboxLifecycleField,
  InboxLongFrame,
  InboxLongTask,
  InboxLoss,
  InboxMetaTrace,
  InboxMeter,
  InboxNavigation,
  InboxPaint,
  InboxResource,
  InboxServerTiming,
  InboxStart,
  InboxUserTiming,
  InboxView,
  InboxVisibility,
  Limits,
} from "../abi";
import type {
  CallFact,
  CustomFact,
  ErrorFact,
  EventEntry,
  FrameScriptEntry,
  LayoutShiftEntry,
  LongFrameEntry,
  NavigationEntry,
  ResourceEntry,
} from "../lib/entries";
import type { Id128 } from "../lib/random";
import type { LargestPaint } from "../observe/largest_paint";
import type { LifecycleFact } from "../observe/page";
import type { VisibilityFact } from "../observe/visibility";
import type { Batch } from "./batch";
import { deliveryCode, initiatorCode, protocolCode } from "./codes";

/** transferSize of a 304; up to here a response may have come from a cache. */
const REVALIDATED_BYTES = 300;

export interface StartFact {
  readonly view: Id128;
  session: Id128;
  readonly timeOrigin: number;
  transport: number;
  readonly supported: number;
  readonly app: string;
  readonly release: string;
  readonly environment: string;
  readonly sdkVersion: string;
  readonly url: string;
  readonly route: string;
  readonly referrer: string;
  readonly viewportWidth: number;
  readonly viewportHeight: number;
  readonly devicePixelRatio: number;
  readonly hardwareConcurrency: number | undefined;
  readonly deviceMemory: number | undefined;
  readonly effectiveType: string | undefined;
  readonly language: string;
  readonly isolated: boolean;
  readonly hidden: boolean;
  readonly prerendering: boolean;
  readonly wasDiscarded: boolean;
  readonly readyState: number;
}

export interface ViewFact {
  readonly view: Id128;
  readonly startTime: number;
  readonly type: number;
  readonly url: string;
  readonly route: string;
  readonly hidden: boolean;
}

export interface LossFact {
  readonly reason: number;
  readonly count: number;
}

// A store of undefined is NaN, which is what the inbox wants for "the browser does not have it".
type Word = number;

/** Writes one record and its children; the caller commits it. */
export function marshal(batch: Batch, kind: InboxKind, item: unknown, extra: string | number | undefined): void {
  switch (kind) {
    case InboxKind.RESOURCE:
      return resource(batch, item as ResourceEntry);
    case InboxKind.EVENT:
      return event(batch, item as EventEntry, extra as string);
    case InboxKind.LAYOUT_SHIFT:
      return layoutShift(batch, item as LayoutShiftEntry, extra as string);
    case InboxKind.USER_TIMING:
      return userTiming(batch, item as PerformanceEntry);
    case InboxKind.LONG_TASK:
      return longTask(batch, item as PerformanceEntry);
    case InboxKind.LONG_FRAME:
      return longFrame(batch, item as LongFrameEntry);
    case InboxKind.PAINT:
      return paint(batch, item as PerformanceEntry);
    case InboxKind.LARGEST_PAINT:
      return largestPaint(batch, item as LargestPaint, extra as string);
    case InboxKind.INTERACTION_COUNT:
      return single(batch, kind, InboxInteractionCount.COUNT, item as number, InboxInteractionCount.WORDS);
    case InboxKind.VISIBILITY:
      return visibility(batch, item as VisibilityFact);
    case InboxKind.LIFECYCLE:
      return lifecycle(batch, item as LifecycleFact);
    case InboxKind.METER:
      return single(batch, kind, InboxMeter.MAIN_THREAD_US, item as number, InboxMeter.WORDS);
    case InboxKind.LOSS:
      return loss(batch, item as LossFact);
    case InboxKind.ERROR:
      return error(batch, item as ErrorFact);
    case InboxKind.CUSTOM_EVENT:
      return customEvent(batch, item as CustomFact);
    case InboxKind.CALL:
      return call(batch, item as CallFact);
    case InboxKind.NAVIGATION:
      return navigation(batch, item as NavigationEntry);
    case InboxKind.META_TRACE:
      return single(batch, kind, InboxMetaTrace.CONTENT, batch.text(item as string), InboxMetaTrace.WORDS);
    case InboxKind.START:
      return start(batch, item as StartFact);
    case InboxKind.VIEW:
      return view(batch, item as ViewFact);
    case InboxKind.SERVER_TIMING:
    case InboxKind.FRAME_SCRIPT:
    case InboxKind.ATTRIBUTE:
      throw new Error("a child record has no meaning alone");
  }
}

function single(batch: Batch, kind: InboxKind, field: number, value: number, words: number): void {
  const w = batch.words;
  w[batch.at] = kind;
  w[batch.at + field] = value;
  batch.at += words;
}

// Not w.set(): that throws past the end, where plain stores do nothing and the batch takes the record back.
function id(w: Float64Array, p: number, value: Id128): void {
  w[p] = value[0];
  w[p + 1] = value[1];
  w[p + 2] = value[2];
  w[p + 3] = value[3];
}

function resource(batch: Batch, entry: ResourceEntry): void {
  const w = batch.words;
  const p = batch.at;
  const startTime = entry.startTime;
  const fetchStart = entry.fetchStart;
  const requestStart = entry.requestStart;
  const responseStart = entry.responseStart;
  const transferSize = entry.transferSize;
  w[p] = InboxKind.RESOURCE;
  w[p + InboxResource.NAME] = batch.url(entry.name);
  w[p + InboxResource.START_TIME] = startTime;
  w[p + InboxResource.FETCH_START] = fetchStart;
  w[p + InboxResource.REQUEST_START] = requestStart;
  w[p + InboxResource.RESPONSE_START] = responseStart;
  w[p + InboxResource.RESPONSE_END] = entry.responseEnd;
  w[p + InboxResource.TRANSFER_SIZE] = transferSize;
  w[p + InboxResource.ENCODED_BODY_SIZE] = entry.encodedBodySize;
  w[p + InboxResource.DECODED_BODY_SIZE] = entry.decodedBodySize;
  w[p + InboxResource.RESPONSE_STATUS] = entry.responseStatus as Word;
  // A redirect moves fetchStart away from startTime; nothing else does without a service worker.
  const moved = fetchStart !== startTime;
  w[p + InboxResource.REDIRECT_START] = moved ? entry.redirectStart : 0;
  w[p + InboxResource.REDIRECT_END] = moved ? entry.redirectEnd : 0;
  w[p + InboxResource.WORKER_START] = moved || navigator.serviceWorker?.controller ? entry.workerStart : 0;
  // Without Timing-Allow-Origin every phase is 0: reading them one by one would only confirm it.
  const isMasked = requestStart === 0 && responseStart === 0;
  if (isMasked) maskedPhases(w, p);
  else connection(w, p, entry, fetchStart, responseStart);
  const initiatorType = entry.initiatorType;
  w[p + InboxResource.INITIATOR_TYPE] = initiatorCode(initiatorType);
  w[p + InboxResource.NEXT_HOP_PROTOCOL] = isMasked ? 0 : protocolCode(entry.nextHopProtocol);
  w[p + InboxResource.DELIVERY_TYPE] = transferSize <= REVALIDATED_BYTES ? deliveryCode(entry.deliveryType) : 0;
  w[p + InboxResource.RENDER_BLOCKING] = mayBlockRendering(initiatorType) && entry.renderBlockingStatus === "blocking" ? 1 : 0;
  batch.at = p + InboxResource.WORDS;
  w[p + InboxResource.SERVER_TIMINGS] = isMasked ? 0 : serverTimings(batch, entry.serverTiming);
}

function mayBlockRendering(initiatorType: string): boolean {
  return initiatorType === "link" || initiatorType === "script" || initiatorType === "css";
}

function maskedPhases(w: Float64Array, p: number): void {
  w[p + InboxResource.DOMAIN_LOOKUP_START] = 0;
  w[p + InboxResource.DOMAIN_LOOKUP_END] = 0;
  w[p + InboxResource.CONNECT_START] = 0;
  w[p + InboxResource.SECURE_CONNECTION_START] = 0;
  w[p + InboxResource.CONNECT_END] = 0;
  w[p + InboxResource.FIRST_INTERIM_RESPONSE_START] = 0;
  w[p + InboxResource.FINAL_RESPONSE_HEADERS_START] = 0;
}

function connection(w: Float64Array, p: number, entry: ResourceEntry, fetchStart: number, responseStart: number): void {
  const connectEnd = entry.connectEnd;
  // A reused connection ends where the fetch starts, and the phases before it are all that same instant.
  const isReused = connectEnd === fetchStart;
  w[p + InboxResource.DOMAIN_LOOKUP_START] = isReused ? fetchStart : entry.domainLookupStart;
  w[p + InboxResource.DOMAIN_LOOKUP_END] = isReused ? fetchStart : entry.domainLookupEnd;
  w[p + InboxResource.CONNECT_START] = isReused ? fetchStart : entry.connectStart;
  w[p + InboxResource.SECURE_CONNECTION_START] = isReused ? 0 : entry.secureConnectionStart;
  w[p + InboxResource.CONNECT_END] = connectEnd;
  const headersStart = entry.finalResponseHeadersStart;
  w[p + InboxResource.FINAL_RESPONSE_HEADERS_START] = headersStart as Word;
  // responseStart is the interim response when there was one: equal to the final headers means there was none.
  const hasNoInterim = headersStart === responseStart;
  w[p + InboxResource.FIRST_INTERIM_RESPONSE_START] = hasNoInterim ? 0 : (entry.firstInterimResponseStart as Word);
}

function serverTimings(batch: Batch, timings: readonly PerformanceServerTiming[] | undefined): number {
  // Firefox and older WebKit have no serverTiming on insecure pages.
  const count = timings ? Math.min(timings.length, Limits.SERVER_TIMINGS_MAX) : 0;
  const w = batch.words;
  for (let i = 0; i < count; i++) {
    const p = batch.at;
    const timing = timings![i];
    w[p] = InboxKind.SERVER_TIMING;
    w[p + InboxServerTiming.NAME] = batch.text(timing.name);
    w[p + InboxServerTiming.DESCRIPTION] = batch.text(timing.description);
    w[p + InboxServerTiming.DURATION] = timing.duration;
    batch.at = p + InboxServerTiming.WORDS;
  }
  return count;
}

function event(batch: Batch, entry: EventEntry, target: string): void {
  const w = batch.words;
  const p = batch.at;
  w[p] = InboxKind.EVENT;
  w[p + InboxEvent.NAME] = batch.text(entry.name);
  w[p + InboxEvent.START_TIME] = entry.startTime;
  w[p + InboxEvent.DURATION] = entry.duration;
  w[p + InboxEvent.PROCESSING_START] = entry.processingStart;
  w[p + InboxEvent.PROCESSING_END] = entry.processingEnd;
  w[p + InboxEvent.INTERACTION_ID] = entry.interactionId as Word;
  w[p + InboxEvent.TARGET] = batch.text(target);
  w[p + InboxEvent.CANCELABLE] = entry.cancelable ? 1 : 0;
  w[p + InboxEvent.FIRST_INPUT] = entry.entryType === "first-input" ? 1 : 0;
  batch.at = p + InboxEvent.WORDS;
}

function layoutShift(batch: Batch, entry: LayoutShiftEntry, target: string): void {
  const w = batch.words;
  const p = batch.at;
  w[p] = InboxKind.LAYOUT_SHIFT;
  w[p + InboxLayoutShift.START_TIME] = entry.startTime;
  w[p + InboxLayoutShift.VALUE] = entry.value;
  w[p + InboxLayoutShift.HAD_RECENT_INPUT] = entry.hadRecentInput ? 1 : 0;
  w[p + InboxLayoutShift.TARGET] = batch.text(target);
  batch.at = p + InboxLayoutShift.WORDS;
}

function userTiming(batch: Batch, entry: PerformanceEntry): void {
  const w = batch.words;
  const p = batch.at;
  const isMeasure = entry.entryType === "measure";
  w[p] = InboxKind.USER_TIMING;
  w[p + InboxUserTiming.NAME] = batch.text(entry.name);
  w[p + InboxUserTiming.START_TIME] = entry.startTime;
  w[p + InboxUserTiming.DURATION] = isMeasure ? entry.duration : 0;
  w[p + InboxUserTiming.IS_MEASURE] = isMeasure ? 1 : 0;
  batch.at = p + InboxUserTiming.WORDS;
}

function longTask(batch: Batch, entry: PerformanceEntry): void {
  const w = batch.words;
  const p = batch.at;
  w[p] = InboxKind.LONG_TASK;
  w[p + InboxLongTask.START_TIME] = entry.startTime;
  w[p + InboxLongTask.DURATION] = entry.duration;
  w[p + InboxLongTask.NAME] = batch.text(entry.name);
  batch.at = p + InboxLongTask.WORDS;
}

function longFrame(batch: Batch, entry: LongFrameEntry): void {
  const w = batch.words;
  const p = batch.at;
  w[p] = InboxKind.LONG_FRAME;
  w[p + InboxLongFrame.START_TIME] = entry.startTime;
  w[p + InboxLongFrame.DURATION] = entry.duration;
  w[p + InboxLongFrame.RENDER_START] = entry.renderStart;
  w[p + InboxLongFrame.STYLE_AND_LAYOUT_START] = entry.styleAndLayoutStart;
  w[p + InboxLongFrame.FIRST_UI_EVENT] = entry.firstUIEventTimestamp;
  w[p + InboxLongFrame.BLOCKING_DURATION] = entry.blockingDuration;
  batch.at = p + InboxLongFrame.WORDS;
  w[p + InboxLongFrame.SCRIPTS] = frameScripts(batch, entry.scripts);
}

function frameScripts(batch: Batch, all: readonly FrameScriptEntry[]): number {
  // The longest ones explain the frame; those that stay keep their order in time.
  const longest = [...all].sort((a, b) => b.duration - a.duration).slice(0, Limits.FRAME_SCRIPTS_MAX);
  const kept = all.length > Limits.FRAME_SCRIPTS_MAX ? all.filter((script) => longest.includes(script)) : all;
  const w = batch.words;
  for (const script of kept) {
    const p = batch.at;
    w[p] = InboxKind.FRAME_SCRIPT;
    w[p + InboxFrameScript.SOURCE_URL] = batch.url(script.sourceURL);
    w[p + InboxFrameScript.SOURCE_FUNCTION] = batch.text(script.sourceFunctionName);
    w[p + InboxFrameScript.INVOKER] = batch.text(script.invoker);
    w[p + InboxFrameScript.INVOKER_TYPE] = batch.text(script.invokerType);
    w[p + InboxFrameScript.START_TIME] = script.startTime;
    w[p + InboxFrameScript.DURATION] = script.duration;
    w[p + InboxFrameScript.FORCED_STYLE_AND_LAYOUT] = script.forcedStyleAndLayoutDuration;
    w[p + InboxFrameScript.PAUSE] = script.pauseDuration;
    w[p + InboxFrameScript.SOURCE_CHAR_POSITION] = script.sourceCharPosition;
    batch.at = p + InboxFrameScript.WORDS;
  }
  return kept.length;
}

function paint(batch: Batch, entry: PerformanceEntry): void {
  const w = batch.words;
  const p = batch.at;
  w[p] = InboxKind.PAINT;
  w[p + InboxPaint.NAME] = batch.text(entry.name);
  w[p + InboxPaint.START_TIME] = entry.startTime;
  batch.at = p + InboxPaint.WORDS;
}

function largestPaint(batch: Batch, { entry, last }: LargestPaint, target: string): void {
  const w = batch.words;
  const p = batch.at;
  w[p] = InboxKind.LARGEST_PAINT;
  w[p + InboxLargestPaint.START_TIME] = entry.startTime;
  w[p + InboxLargestPaint.RENDER_TIME] = entry.renderTime;
  w[p + InboxLargestPaint.LOAD_TIME] = entry.loadTime;
  w[p + InboxLargestPaint.SIZE] = entry.size;
  w[p + InboxLargestPaint.URL] = batch.url(entry.url);
  w[p + InboxLargestPaint.TARGET] = batch.text(target);
  w[p + InboxLargestPaint.LAST] = last ? 1 : 0;
  batch.at = p + InboxLargestPaint.WORDS;
}

function visibility(batch: Batch, fact: VisibilityFact): void {
  const w = batch.words;
  const p = batch.at;
  w[p] = InboxKind.VISIBILITY;
  w[p + InboxVisibility.START_TIME] = fact.time;
  w[p + InboxVisibility.HIDDEN] = fact.hidden ? 1 : 0;
  w[p + InboxVisibility.BUFFERED] = fact.buffered ? 1 : 0;
  batch.at = p + InboxVisibility.WORDS;
}

function lifecycle(batch: Batch, fact: LifecycleFact): void {
  const w = batch.words;
  const p = batch.at;
  w[p] = InboxKind.LIFECYCLE;
  w[p + InboxLifecycleField.EVENT] = fact.event;
  w[p + InboxLifecycleField.TIME] = fact.time;
  batch.at = p + InboxLifecycleField.WORDS;
}

function loss(batch: Batch, fact: LossFact): void {
  const w = batch.words;
  const p = batch.at;
  w[p] = InboxKind.LOSS;
  w[p + InboxLoss.REASON] = fact.reason;
  w[p + InboxLoss.COUNT] = fact.count;
  batch.at = p + InboxLoss.WORDS;
}

function error(batch: Batch, fact: ErrorFact): void {
  const w = batch.words;
  const p = batch.at;
  w[p] = InboxKind.ERROR;
  w[p + InboxError.START_TIME] = fact.time;
  w[p + InboxError.TYPE] = batch.text(fact.type);
  w[p + InboxError.MESSAGE] = batch.text(fact.message);
  w[p + InboxError.STACK] = batch.text(fact.stack);
  w[p + InboxError.SOURCE] = batch.url(fact.source);
  w[p + InboxError.LINE] = fact.line;
  w[p + InboxError.COLUMN] = fact.column;
  w[p + InboxError.ORIGIN] = fact.origin;
  batch.at = p + InboxError.WORDS;
}

function customEvent(batch: Batch, fact: CustomFact): void {
  const w = batch.words;
  const p = batch.at;
  w[p] = InboxKind.CUSTOM_EVENT;
  w[p + InboxCustomEvent.START_TIME] = fact.time;
  w[p + InboxCustomEvent.NAME] = batch.text(fact.name);
  w[p + InboxCustomEvent.ATTRIBUTES] = fact.attributes.length;
  batch.at = p + InboxCustomEvent.WORDS;
  for (const [key, value] of fact.attributes) {
    const q = batch.at;
    w[q] = InboxKind.ATTRIBUTE;
    w[q + InboxAttribute.KEY] = batch.text(key);
    w[q + InboxAttribute.TEXT] = typeof value === "string" ? batch.text(value) : 0;
    w[q + InboxAttribute.NUMBER] = typeof value === "number" ? value : NaN;
    batch.at = q + InboxAttribute.WORDS;
  }
}

function call(batch: Batch, fact: CallFact): void {
  const w = batch.words;
  const p = batch.at;
  w[p] = InboxKind.CALL;
  w[p + InboxCall.URL] = batch.url(fact.url);
  w[p + InboxCall.METHOD] = batch.text(fact.method);
  w[p + InboxCall.START_TIME] = fact.start;
  w[p + InboxCall.HEADERS_TIME] = fact.headers as Word;
  w[p + InboxCall.END_TIME] = fact.end as Word;
  w[p + InboxCall.STATUS] = fact.status;
  w[p + InboxCall.REDIRECTED] = fact.redirected ? 1 : 0;
  w[p + InboxCall.TRACEPARENT] = batch.text(fact.traceparent);
  w[p + InboxCall.SERVER_TIMING] = batch.text(fact.serverTiming);
  batch.at = p + InboxCall.WORDS;
}

function navigation(batch: Batch, entry: NavigationEntry): void {
  const w = batch.words;
  const p = batch.at;
  w[p] = InboxKind.NAVIGATION;
  w[p + InboxNavigation.NAME] = batch.url(entry.name);
  w[p + InboxNavigation.TYPE] = batch.text(entry.type);
  w[p + InboxNavigation.ACTIVATION_START] = entry.activationStart as Word;
  w[p + InboxNavigation.REDIRECT_START] = entry.redirectStart;
  w[p + InboxNavigation.REDIRECT_END] = entry.redirectEnd;
  w[p + InboxNavigation.WORKER_START] = entry.workerStart;
  w[p + InboxNavigation.FETCH_START] = entry.fetchStart;
  w[p + InboxNavigation.DOMAIN_LOOKUP_START] = entry.domainLookupStart;
  w[p + InboxNavigation.DOMAIN_LOOKUP_END] = entry.domainLookupEnd;
  w[p + InboxNavigation.CONNECT_START] = entry.connectStart;
  w[p + InboxNavigation.SECURE_CONNECTION_START] = entry.secureConnectionStart;
  w[p + InboxNavigation.CONNECT_END] = entry.connectEnd;
  w[p + InboxNavigation.REQUEST_START] = entry.requestStart;
  w[p + InboxNavigation.FIRST_INTERIM_RESPONSE_START] = entry.firstInterimResponseStart as Word;
  w[p + InboxNavigation.FINAL_RESPONSE_HEADERS_START] = entry.finalResponseHeadersStart as Word;
  w[p + InboxNavigation.RESPONSE_START] = entry.responseStart;
  w[p + InboxNavigation.RESPONSE_END] = entry.responseEnd;
  w[p + InboxNavigation.UNLOAD_EVENT_START] = entry.unloadEventStart;
  w[p + InboxNavigation.UNLOAD_EVENT_END] = entry.unloadEventEnd;
  w[p + InboxNavigation.DOM_INTERACTIVE] = entry.domInteractive;
  w[p + InboxNavigation.DOM_CONTENT_LOADED_EVENT_START] = entry.domContentLoadedEventStart;
  w[p + InboxNavigation.DOM_CONTENT_LOADED_EVENT_END] = entry.domContentLoadedEventEnd;
  w[p + InboxNavigation.DOM_COMPLETE] = entry.domComplete;
  w[p + InboxNavigation.LOAD_EVENT_START] = entry.loadEventStart;
  w[p + InboxNavigation.LOAD_EVENT_END] = entry.loadEventEnd;
  w[p + InboxNavigation.TRANSFER_SIZE] = entry.transferSize;
  w[p + InboxNavigation.ENCODED_BODY_SIZE] = entry.encodedBodySize;
  w[p + InboxNavigation.DECODED_BODY_SIZE] = entry.decodedBodySize;
  w[p + InboxNavigation.NEXT_HOP_PROTOCOL] = protocolCode(entry.nextHopProtocol);
  w[p + InboxNavigation.RESPONSE_STATUS] = entry.responseStatus as Word;
  w[p + InboxNavigation.DELIVERY_TYPE] = deliveryCode(entry.deliveryType);
  w[p + InboxNavigation.REDIRECT_COUNT] = entry.redirectCount;
  batch.at = p + InboxNavigation.WORDS;
  w[p + InboxNavigation.SERVER_TIMINGS] = serverTimings(batch, entry.serverTiming);
}

function start(batch: Batch, fact: StartFact): void {
  const w = batch.words;
  const p = batch.at;
  w[p] = InboxKind.START;
  id(w, p + InboxStart.VIEW_ID_0, fact.view);
  id(w, p + InboxStart.SESSION_ID_0, fact.session);
  w[p + InboxStart.TIME_ORIGIN] = fact.timeOrigin;
  w[p + InboxStart.TRANSPORT] = fact.transport;
  w[p + InboxStart.SUPPORTED] = fact.supported;
  w[p + InboxStart.APP] = batch.text(fact.app);
  w[p + InboxStart.RELEASE] = batch.text(fact.release);
  w[p + InboxStart.ENVIRONMENT] = batch.text(fact.environment);
  w[p + InboxStart.SDK_VERSION] = batch.text(fact.sdkVersion);
  w[p + InboxStart.URL] = batch.url(fact.url);
  w[p + InboxStart.ROUTE] = batch.text(fact.route);
  w[p + InboxStart.REFERRER] = batch.url(fact.referrer);
  w[p + InboxStart.VIEWPORT_WIDTH] = fact.viewportWidth;
  w[p + InboxStart.VIEWPORT_HEIGHT] = fact.viewportHeight;
  w[p + InboxStart.DEVICE_PIXEL_RATIO] = fact.devicePixelRatio;
  w[p + InboxStart.HARDWARE_CONCURRENCY] = fact.hardwareConcurrency as Word;
  w[p + InboxStart.DEVICE_MEMORY] = fact.deviceMemory as Word;
  w[p + InboxStart.EFFECTIVE_TYPE] = batch.text(fact.effectiveType);
  w[p + InboxStart.LANGUAGE] = batch.text(fact.language);
  w[p + InboxStart.ISOLATED] = fact.isolated ? 1 : 0;
  w[p + InboxStart.HIDDEN] = fact.hidden ? 1 : 0;
  w[p + InboxStart.PRERENDERING] = fact.prerendering ? 1 : 0;
  w[p + InboxStart.WAS_DISCARDED] = fact.wasDiscarded ? 1 : 0;
  w[p + InboxStart.READY_STATE] = fact.readyState;
  batch.at = p + InboxStart.WORDS;
}

function view(batch: Batch, fact: ViewFact): void {
  const w = batch.words;
  const p = batch.at;
  w[p] = InboxKind.VIEW;
  id(w, p + InboxView.VIEW_ID_0, fact.view);
  w[p + InboxView.START_TIME] = fact.startTime;
  w[p + InboxView.TYPE] = fact.type;
  w[p + InboxView.URL] = batch.url(fact.url);
  w[p + InboxView.ROUTE] = batch.text(fact.route);
  w[p + InboxView.HIDDEN] = fact.hidden ? 1 : 0;
  batch.at = p + InboxView.WORDS;
}
