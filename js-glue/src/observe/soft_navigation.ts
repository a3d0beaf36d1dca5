/**
 * Views that the browser itself tells of: a soft-navigation entry comes when an interaction has changed the URL and was
 * painted. By then the entries of the old view and of the new one wait in the queue side by side:
 *
 *   queue     ... click, shift, event | event, shift, resource ...
 *                                     ^ VIEW, SOFT_NAVIGATION, its largest paint so far
 *
 * What the vitals are made of is divided as web-vitals does it: what came before the entry is of the old view (rounded
 * durations may say otherwise), and what comes with it or behind it goes by its end (start + duration). The rest goes by
 * its start, because what the new route fetched belongs to it. This is done in an idle moment, when the long frame of the
 * interaction has come, too; the queue is held until then.
 */
import { InboxKind, NavigationType } from "../abi";
import type { Item } from "../lib/queue";
import { observe } from "../lib/observe";
import { isHidden, orHidden } from "../lib/hidden";
import { selectorOf } from "../lib/selector";
import { hasSoftNavigations, type InteractionPaintEntry, type SoftNavigationEntry } from "../lib/soft_navigation";
import { whenIdle } from "../lib/when_idle";
import type { Watch } from "../watch";
import type { ViewFact } from "./page";

const BY_END = [
  InboxKind.LAYOUT_SHIFT,
  InboxKind.EVENT,
  InboxKind.LONG_FRAME,
  InboxKind.INTERACTION_PAINT,
  InboxKind.PAINT,
  InboxKind.LARGEST_PAINT,
  InboxKind.LIFECYCLE,
  InboxKind.VISIBILITY,
];

// The longest that web-vitals waits with an interaction.
const IDLE_TIMEOUT_MS = 1000;

interface Timed {
  readonly entry?: Timed;
  readonly startTime?: number;
  readonly start?: number;
  readonly time?: number;
  readonly duration?: number;
}

/** Exported for its tests. */
export function isAfter([kind, item, extra]: Item, { startTime, duration }: PerformanceEntry): boolean {
  // How many interactions there were up to now counts for the view that ends.
  if (kind === InboxKind.INTERACTION_COUNT) return false;
  const timed = (item as Timed).entry ?? (item as Timed);
  // A name that a router gave came with its time.
  const start = kind === InboxKind.ROUTE ? (extra as number) : (timed.startTime ?? timed.time ?? timed.start ?? 0);
  if (!BY_END.includes(kind)) return start >= startTime;
  const late = start + (timed.duration ?? 0) - (startTime + duration);
  return late > 0 || (late === 0 && start > startTime);
}

export function observeSoftNavigations(watch: Watch): void {
  const { context, options, queue } = watch;
  if (!hasSoftNavigations(options.views)) return;
  const since = performance.now();
  let pending: [entry: SoftNavigationEntry, known: Set<Item>][] = [];
  const paint = ({ largestContentfulPaint: largest, startTime, duration, interactionId }: InteractionPaintEntry) => {
    if (!largest) return;
    const { renderTime, loadTime, size, url, element, id } = largest;
    queue.push(
      InboxKind.INTERACTION_PAINT,
      { startTime, duration, renderTime, loadTime, size, url, interactionId },
      selectorOf(element) || (id ? "#" + id : ""),
    );
  };
  const begin = ([entry, known]: (typeof pending)[0]) => {
    const { name: url, startTime } = entry;
    const after = queue.items.filter((item) => !(known.has(item) && BY_END.includes(item[0])) && isAfter(item, entry));
    queue.items = queue.items.filter((item) => !after.includes(item));
    const view: ViewFact = {
      startTime,
      type: NavigationType.SOFT_NAVIGATION,
      url,
      hidden: isHidden(),
    };
    queue.push(InboxKind.VIEW, view);
    watch.engine?.hold();
    queue.push(InboxKind.SOFT_NAVIGATION, entry);
    const largest = entry.getLargestInteractionContentfulPaint();
    if (largest) paint(largest);
    queue.items.push(...after);
  };
  observe(context, "interaction-contentful-paint", (entries) => (entries as InteractionPaintEntry[]).forEach(paint));
  const settle = () => {
    const entries = pending;
    if (!entries[0]) return;
    pending = [];
    // What the other observers still hold is divided as well.
    watch.drain();
    entries.forEach(begin);
    watch.engine?.release();
  };
  observe(context, "soft-navigation", (entries) => {
    if (!entries[0]) return;
    // From before we looked: when it came, nobody knows.
    const known = new Set(entries[0].startTime + entries[0].duration < since ? [] : queue.items);
    for (const entry of entries as SoftNavigationEntry[]) {
      pending.push([entry, known]);
      context.viewStart = entry.startTime + entry.duration;
    }
    watch.engine?.hold();
    orHidden(context.guard.wrap(settle), (done) => whenIdle(done, IDLE_TIMEOUT_MS));
  });
  context.drains.push(context.guard.wrap(settle));
}
