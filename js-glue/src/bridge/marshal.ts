/**
 * Entry -> inbox words: all knowledge of record layouts on this side of the boundary (wasm/abi/inbox.h is the other).
 *
 * A record is one row: the names of its fields in inbox order, each with how it is written. Only resources, which are
 * most of all entries, are written by hand: reading an entry costs more than everything done with it, so a getter is
 * called only when its value is not implied by one already read.
 */
import { Inbox, InboxKind, InboxResource, InboxServerTiming, InitiatorType, Limits } from "../abi";
import type { CustomFact, FrameScriptEntry, ResourceEntry } from "../lib/entries";
import type { Id128 } from "../lib/random";
import type { Batch } from "./batch";
import { deliveryCode, initiatorCode, protocolCode } from "./codes";

/** transferSize of a 304; up to here a response may have come from a cache. */
const REVALIDATED_BYTES = 300;

export interface StartFact {
  readonly view: Id128;
  readonly session: Id128;
  readonly timeOrigin: number;
  readonly transport: number;
  readonly supported: number;
  readonly app: string;
  readonly release: string | undefined;
  readonly environment: string | undefined;
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

export interface ConfigFact {
  readonly sampleRate: number | undefined;
  readonly consent: number;
  readonly flightRecorder: boolean;
  readonly trigger: boolean;
  readonly msPerMinute: number | undefined;
  readonly usPerEntry: number | undefined;
  readonly bytes: number | undefined;
  readonly queryKeys: string | undefined;
}

export interface LossFact {
  readonly reason: number;
  readonly count: number;
}

// A store of undefined is NaN, too.
type Word = number;

/**
 * How a field is written, by the character before its name. Without one it is a number, where true is 1, false is 0, and
 * undefined is NaN, which is what the inbox wants for "the browser does not have it". Without a name it is the item.
 *   $ text    & URL    # id of four words    ~ protocol    ^ delivery type    % what was read on arrival, a text
 *   @ a rectangle's area    = is this its entryType?    ! of the item around the entry    * how many children follow the record
 */
export const ROWS: Partial<Record<InboxKind, string>> = {
  [InboxKind.START]:
    "#view #session timeOrigin transport supported $app $release $environment $sdkVersion &url $route &referrer viewportWidth " +
    "viewportHeight devicePixelRatio hardwareConcurrency deviceMemory $effectiveType $language isolated hidden prerendering " +
    "wasDiscarded readyState",
  [InboxKind.VIEW]: "#view startTime type &url $route hidden",
  [InboxKind.NAVIGATION]:
    "&name $type activationStart redirectStart redirectEnd workerStart fetchStart domainLookupStart domainLookupEnd connectStart " +
    "secureConnectionStart connectEnd requestStart firstInterimResponseStart finalResponseHeadersStart responseStart responseEnd " +
    "unloadEventStart unloadEventEnd domInteractive domContentLoadedEventStart domContentLoadedEventEnd domComplete " +
    "loadEventStart loadEventEnd transferSize encodedBodySize decodedBodySize ~nextHopProtocol responseStatus ^deliveryType " +
    "redirectCount *serverTiming",
  [InboxKind.META_TRACE]: "$",
  [InboxKind.SERVER_TIMING]: "$name $description duration",
  [InboxKind.PAINT]: "$name startTime",
  [InboxKind.LARGEST_PAINT]: "startTime renderTime loadTime size &url % !last",
  [InboxKind.LAYOUT_SHIFT]: "startTime value hadRecentInput %",
  [InboxKind.EVENT]: "$name startTime duration processingStart processingEnd interactionId % cancelable =first-input",
  [InboxKind.INTERACTION_COUNT]: "",
  [InboxKind.LONG_TASK]: "startTime duration $name",
  [InboxKind.LONG_FRAME]: "startTime duration renderStart styleAndLayoutStart firstUIEventTimestamp blockingDuration *scripts",
  [InboxKind.FRAME_SCRIPT]:
    "&sourceURL $sourceFunctionName $invoker $invokerType startTime duration forcedStyleAndLayoutDuration pauseDuration " +
    "sourceCharPosition",
  [InboxKind.USER_TIMING]: "$name startTime duration =measure",
  [InboxKind.VISIBILITY]: "time hidden buffered",
  [InboxKind.ERROR]: "time $type $message $stack &source line column origin",
  [InboxKind.CUSTOM_EVENT]: "time $name *attributes",
  [InboxKind.ATTRIBUTE]: "$key $text number",
  [InboxKind.CALL]: "&url $method start headers end status redirected $traceparent $serverTiming contentLength tag aborted",
  [InboxKind.LOSS]: "reason count",
  [InboxKind.METER]: "",
  [InboxKind.LIFECYCLE]: "event time",
  [InboxKind.CONFIG]: "sampleRate consent flightRecorder trigger msPerMinute usPerEntry bytes $queryKeys",
  [InboxKind.ELEMENT]: "$name $identifier startTime renderTime loadTime @intersectionRect &url %",
  [InboxKind.SOFT_NAVIGATION]: "&name startTime interactionId paintTime presentationTime",
  [InboxKind.INTERACTION_PAINT]: "startTime renderTime loadTime size &url % interactionId",
  [InboxKind.NOT_RESTORED]: "$reason &url depth",
  [InboxKind.MEMORY_MEASUREMENT]: "time bytes jsBytes domBytes",
  [InboxKind.CLICK_PATTERN]: "time type count $target duration",
  [InboxKind.CUSTOM_METRIC]: "time $name value $unit *attributes",
  [InboxKind.ROUTE]: "$",
  [InboxKind.SESSION]: "#",
};

type Field = readonly [how: string, name: string];
type Item = Record<string, unknown>;

const parsed: Field[][] = [];

function fieldsOf(kind: InboxKind): Field[] {
  return (parsed[kind] ??= ROWS[kind]!.split(" ").map((field) => {
    const [, how, name] = /^(\W?)(.*)$/.exec(field)!;
    return [how, name];
  }));
}

/** Writes one record and its children; the caller commits it. */
export function marshal(batch: Batch, kind: InboxKind, item: unknown, extra?: string | number): void {
  if (kind === InboxKind.RESOURCE) resource(batch, item as ResourceEntry);
  else row(batch, kind, item, extra);
}

function row(batch: Batch, kind: InboxKind, item: unknown, extra?: string | number): void {
  const w = batch.words;
  const around = item as Item;
  const entry = kind === InboxKind.LARGEST_PAINT ? (around.entry as Item) : around;
  let kids: readonly unknown[] = [];
  w[batch.at++] = kind;
  for (const [how, name] of fieldsOf(kind)) {
    const value = name ? entry[name] : item;
    if (how === "#") {
      // Not w.set(): that throws past the end, where plain stores do nothing and the batch takes the record back.
      for (const word of value as Id128) w[batch.at++] = word;
    } else {
      if (how === "*") kids = childrenOf(kind, value);
      w[batch.at++] = (
        how === "$" ? batch.text(value as string)
        : how === "&" ? batch.url(value as string)
        : how === "%" ? batch.text(extra as string)
        : how === "=" ? entry.entryType === name
        : how === "!" ? around[name]
        : how === "@" ? (value as DOMRect).width * (value as DOMRect).height
        : how === "*" ? kids.length
        : how === "~" ? protocolCode(value as string)
        : how === "^" ? deliveryCode(value as string)
        : value
      ) as number;
    }
  }
  addChildren(batch, kind, kids);
}

function hasAttributes(kind: InboxKind): boolean {
  return kind === InboxKind.CUSTOM_EVENT || kind === InboxKind.CUSTOM_METRIC;
}

function addChildren(batch: Batch, kind: InboxKind, kids: readonly unknown[]): void {
  const child =
    kind === InboxKind.LONG_FRAME ? InboxKind.FRAME_SCRIPT
    : hasAttributes(kind) ? InboxKind.ATTRIBUTE
    : InboxKind.SERVER_TIMING;
  for (const kid of kids) row(batch, child, kid);
}

function childrenOf(kind: InboxKind, value: unknown): readonly unknown[] {
  if (kind === InboxKind.LONG_FRAME) return frameScripts(value as FrameScriptEntry[]);
  if (hasAttributes(kind)) {
    return Object.entries(value as CustomFact["attributes"])
      .slice(0, Limits.ATTRIBUTES_MAX)
      .map(([key, given]) => (Number.isFinite(given) ? { key, number: given } : { key, text: String(given) }));
  }
  // Firefox and older WebKit have no serverTiming on insecure pages.
  return ((value as readonly PerformanceServerTiming[] | undefined) ?? []).slice(0, Limits.SERVER_TIMINGS_MAX);
}

/** The longest go into the beacon and come first; the others add to what INP says of its frames. Either in order of time. */
function frameScripts(all: readonly FrameScriptEntry[]): readonly FrameScriptEntry[] {
  const byDuration = [...all].sort((a, b) => b.duration - a.duration);
  const ranked = (from: number, to: number) => {
    const some = byDuration.slice(from, to);
    return all.filter((script) => some.includes(script));
  };
  return [...ranked(0, Limits.FRAME_SCRIPTS_MAX), ...ranked(Limits.FRAME_SCRIPTS_MAX, Inbox.FRAME_SCRIPTS_MAX)];
}

/** Firefox and older WebKit have none on insecure pages. Returns how many children it wrote. */
function serverTimings(batch: Batch, timings: readonly PerformanceServerTiming[] | undefined): number {
  const count = timings ? Math.min(timings.length, Limits.SERVER_TIMINGS_MAX) : 0;
  const w = batch.words;
  for (let at = 0; at < count; at++) {
    const timing = timings![at]!;
    const p = batch.at;
    w[p] = InboxKind.SERVER_TIMING;
    w[p + InboxServerTiming.NAME] = batch.text(timing.name);
    w[p + InboxServerTiming.DESCRIPTION] = batch.text(timing.description);
    w[p + InboxServerTiming.DURATION] = timing.duration;
    batch.at = p + InboxServerTiming.WORDS;
  }
  return count;
}

/** The words are zeros before: what is 0, or implied, is neither read nor stored. */
function resource(batch: Batch, entry: ResourceEntry): void {
  const w = batch.words;
  const p = batch.at;
  const startTime = entry.startTime;
  const fetchStart = entry.fetchStart;
  const requestStart = entry.requestStart;
  const responseStart = entry.responseStart;
  const transferSize = entry.transferSize;
  const initiator = initiatorCode(entry.initiatorType);
  w[p] = InboxKind.RESOURCE;
  w[p + InboxResource.NAME] = batch.url(entry.name);
  w[p + InboxResource.START_TIME] = startTime;
  w[p + InboxResource.WORKER_START] = entry.workerStart;
  w[p + InboxResource.FETCH_START] = fetchStart;
  // A redirect moves fetchStart away from startTime.
  if (fetchStart !== startTime) {
    w[p + InboxResource.REDIRECT_START] = entry.redirectStart;
    w[p + InboxResource.REDIRECT_END] = entry.redirectEnd;
  }
  batch.at = p + InboxResource.WORDS;
  // Without Timing-Allow-Origin every phase is 0: reading them one by one would only confirm it.
  if (requestStart || responseStart) {
    const connectEnd = entry.connectEnd;
    w[p + InboxResource.CONNECT_END] = connectEnd;
    // A reused connection ends where the fetch starts, and the phases before it are all that same instant.
    if (connectEnd !== fetchStart) {
      w[p + InboxResource.DOMAIN_LOOKUP_START] = entry.domainLookupStart;
      w[p + InboxResource.DOMAIN_LOOKUP_END] = entry.domainLookupEnd;
      w[p + InboxResource.CONNECT_START] = entry.connectStart;
      w[p + InboxResource.SECURE_CONNECTION_START] = entry.secureConnectionStart;
    }
    w[p + InboxResource.REQUEST_START] = requestStart;
    w[p + InboxResource.RESPONSE_START] = responseStart;
    const headersStart = entry.finalResponseHeadersStart as Word;
    w[p + InboxResource.FINAL_RESPONSE_HEADERS_START] = headersStart;
    // responseStart is the interim response when there was one: equal to the final headers means there was none.
    if (headersStart !== responseStart) w[p + InboxResource.FIRST_INTERIM_RESPONSE_START] = entry.firstInterimResponseStart as Word;
    w[p + InboxResource.NEXT_HOP_PROTOCOL] = protocolCode(entry.nextHopProtocol);
    w[p + InboxResource.SERVER_TIMINGS] = serverTimings(batch, entry.serverTiming);
  }
  w[p + InboxResource.RESPONSE_END] = entry.responseEnd;
  w[p + InboxResource.TRANSFER_SIZE] = transferSize;
  w[p + InboxResource.ENCODED_BODY_SIZE] = entry.encodedBodySize;
  w[p + InboxResource.DECODED_BODY_SIZE] = entry.decodedBodySize;
  w[p + InboxResource.INITIATOR_TYPE] = initiator;
  w[p + InboxResource.RESPONSE_STATUS] = entry.responseStatus as Word;
  if (transferSize <= REVALIDATED_BYTES) w[p + InboxResource.DELIVERY_TYPE] = deliveryCode(entry.deliveryType);
  if (initiator >= InitiatorType.SCRIPT && initiator <= InitiatorType.CSS && entry.renderBlockingStatus === "blocking")
    w[p + InboxResource.RENDER_BLOCKING] = 1;
}
