/**
 * The browser's own entries, one observer a type. What is read on arrival is only what may be gone when the batch is
 * written: which element an entry is about.
 */
import { InboxKind } from "../abi";
import type { EventEntry, LargestPaintEntry, LayoutShiftEntry } from "../lib/entries";
import type { IdleMark } from "../lib/idle_mark";
import { hasInteractionCount, interactionCount } from "../lib/interaction_count";
import { isSupported, observe } from "../lib/observe";
import { selectorOf } from "../lib/selector";
import type { Context } from "./source";

export interface LargestPaint {
  readonly entry: LargestPaintEntry;
  /** Only the last entry of a batch is a candidate for web-vitals, unless the page has soft navigations. */
  readonly last: boolean;
}

// Durations are rounded to 8 ms and the floor is 16: this is web-vitals' default, a frame and a half above noise.
const DURATION_THRESHOLD_MS = 40;

export function isInteractionSupported(): boolean {
  return isSupported("event") && "interactionId" in PerformanceEventTiming.prototype;
}

/** web-vitals blames the first source that is an element. Shifts after input do not count, so nobody asks for theirs. */
function shifted({ hadRecentInput, sources }: LayoutShiftEntry): string {
  if (hadRecentInput || !sources?.length) return "";
  return selectorOf((sources.find((source) => source.node?.nodeType === 1) ?? sources[0]).node);
}

export function observeEntries(context: Context, idle: IdleMark, isOwn: (url: string) => boolean): void {
  const { sink } = context;
  const each = (type: string, take: (entry: PerformanceEntry, isLast: boolean) => void, more?: object) =>
    observe(context, type, (entries) => entries.forEach((entry, at) => take(entry, !entries[at + 1])), more);
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
          sink.push(InboxKind.EVENT, entry, interactionId ? selectorOf(entry.target) || entry.targetSelector : "");
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
    sink.push(InboxKind.LARGEST_PAINT, paint, selectorOf(entry.element) || (entry.id ? "#" + entry.id : ""));
  });
  each("layout-shift", (entry) => sink.push(InboxKind.LAYOUT_SHIFT, entry, shifted(entry as LayoutShiftEntry)));
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
