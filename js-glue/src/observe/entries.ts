/**
 * The browser's own entries, one observer a type. What is read on arrival is only what may be gone when the batch is
 * written: which element an entry is about.
 */
import { InboxKind } from "../abi";
import type { EventEntry, LargestPaintEntry, LayoutShiftEntry } from "../lib/entries";
import type { IdleMark } from "../lib/idle_mark";
import { hasInteractionCount, interactionCount } from "../lib/interaction_count";
import { isSupported, observe } from "../lib/observe";
import { selectors } from "../lib/selector";
import type { Context } from "./source";

export interface LargestPaint {
  readonly entry: LargestPaintEntry;
  /** Only the last entry of a batch is a candidate for web-vitals, unless the page has soft navigations. */
  readonly last: boolean;
}

// Durations are rounded to 8 ms and the floor is 16: this is web-vitals' default, a frame and a half above noise.
const DURATION_THRESHOLD_MS = 40;
// Of layout shifts: a window ends after a second without any, or after five.
const WINDOW_GAP_MS = 1000;
const WINDOW_MS = 5000;

export function isInteractionSupported(): boolean {
  return isSupported("event") && "interactionId" in PerformanceEventTiming.prototype;
}

/**
 * Whom web-vitals blames: the first source of a shift that is an element, of the largest shift of its session window.
 * A shift that is smaller than one before it in its window cannot become that one, and is not looked into.
 */
function blamedNode(context: Context): (entry: LayoutShiftEntry) => Node | null | undefined {
  let first = 0;
  let last = 0;
  let largest = 0;
  return (entry) => {
    const { startTime, value } = entry;
    if (entry.hadRecentInput) return undefined;
    const isNew = !largest || startTime - last >= WINDOW_GAP_MS || startTime - first >= WINDOW_MS || first < context.viewStart;
    if (isNew) {
      first = startTime;
      largest = 0;
    }
    last = startTime;
    if (value < largest) return undefined;
    largest = value;
    // Asked last: the browser builds the list for every caller.
    const { sources } = entry;
    return (sources?.find((source) => source.node?.nodeType === 1) ?? sources?.[0])?.node;
  };
}

export function observeEntries(context: Context, idle: IdleMark, isOwn: (url: string) => boolean): void {
  const { sink } = context;
  const selector = selectors();
  const blamed = blamedNode(context);
  const each = (type: string, take: (entry: PerformanceEntry, isLast: boolean) => void, more?: object) =>
    observe(
      context,
      type,
      (entries) => {
        for (let at = 0; at < entries.length; at++) take(entries[at]!, at === entries.length - 1);
        selector.forget();
      },
      more,
    );
  const plain = (type: string, kind: InboxKind) => each(type, (entry) => sink.push(kind, entry));
  const count = interactionCount();
  /**
   * All events of one frame must be known before an interaction is judged, so the core evaluates them only when it is
   * told that the page is idle or hidden. The estimate of the count must see those too short to be reported, too.
   */
  const event = (type: string, floor: number, more?: object) => {
    let waits = false;
    each(
      type,
      (one, isLast) => {
        const entry = one as EventEntry;
        const { interactionId } = entry;
        count.see(interactionId);
        if (entry.duration >= floor) {
          waits = true;
          // Only interactions are ever blamed on an element.
          sink.push(InboxKind.EVENT, entry, interactionId ? selector.of(entry.target) || entry.targetSelector : "");
        }
        // Not sooner: on a hidden page the answer comes at once, and a batch is judged as a whole.
        if (!isLast || !waits) return;
        waits = false;
        idle.ask();
      },
      more,
    );
  };
  each("resource", (entry) => isOwn(entry.name) || sink.push(InboxKind.RESOURCE, entry));
  plain("paint", InboxKind.PAINT);
  each("largest-contentful-paint", (one, last) => {
    const entry = one as LargestPaintEntry;
    const paint: LargestPaint = { entry, last };
    sink.push(InboxKind.LARGEST_PAINT, paint, selector.of(entry.element) || (entry.id ? "#" + entry.id : ""));
  });
  each("layout-shift", (entry) => sink.push(InboxKind.LAYOUT_SHIFT, entry, selector.of(blamed(entry as LayoutShiftEntry))));
  if (isInteractionSupported()) {
    let told = 0;
    idle.before = () => {
      const now = count.value();
      if (now !== told) sink.push(InboxKind.INTERACTION_COUNT, (told = now));
    };
    event("event", DURATION_THRESHOLD_MS, { durationThreshold: hasInteractionCount() ? DURATION_THRESHOLD_MS : 0 });
    event("first-input", 0);
  }
  plain("longtask", InboxKind.LONG_TASK);
  plain("long-animation-frame", InboxKind.LONG_FRAME);
  plain("mark", InboxKind.USER_TIMING);
  plain("measure", InboxKind.USER_TIMING);
}
