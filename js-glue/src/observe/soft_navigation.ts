/**
 * Views that the browser itself tells of: a soft-navigation entry comes when an interaction has changed the URL and was
 * painted. By then the entries of the old view and of the new one wait in the queue side by side:
 *
 *   queue     ... click, shift, event | event, shift, resource ...
 *                                     ^ VIEW, SOFT_NAVIGATION, its largest paint so far
 *
 * What the vitals are made of is divided as web-vitals does it, by the end of each entry (start + duration); the rest by
 * its start, because what the new route fetched belongs to it.
 */
import { InboxKind, NavigationType } from "../abi";
import type { Item } from "../lib/queue";
import { observe } from "../lib/observe";
import { isHidden } from "../lib/hidden";
import { randomId } from "../lib/random";
import { routeFor } from "../lib/route";
import { selectorOf } from "../lib/selector";
import { hasSoftNavigations, type InteractionPaintEntry, type SoftNavigationEntry } from "../lib/soft_navigation";
import type { Watch } from "../watch";
import type { ViewFact } from "./page";

const BY_END = [
  InboxKind.LAYOUT_SHIFT,
  InboxKind.EVENT,
  InboxKind.INTERACTION_PAINT,
  InboxKind.PAINT,
  InboxKind.LARGEST_PAINT,
  InboxKind.LIFECYCLE,
  InboxKind.VISIBILITY,
];

interface Timed {
  readonly entry?: Timed;
  readonly startTime?: number;
  readonly start?: number;
  readonly time?: number;
  readonly duration?: number;
}

/** Exported for its tests. */
export function isAfter([kind, item]: Item, { startTime, duration }: PerformanceEntry): boolean {
  // How many interactions there were up to now counts for the view that ends.
  if (kind === InboxKind.INTERACTION_COUNT) return false;
  const timed = (item as Timed).entry ?? (item as Timed);
  const start = timed.startTime ?? timed.time ?? timed.start ?? 0;
  if (!BY_END.includes(kind)) return start >= startTime;
  const late = start + (timed.duration ?? 0) - (startTime + duration);
  return late > 0 || (late === 0 && start > startTime);
}

export function observeSoftNavigations({ context, options, queue, drain }: Watch): void {
  if (!hasSoftNavigations(options)) return;
  const paint = ({ largestContentfulPaint: largest, startTime, duration, interactionId }: InteractionPaintEntry) => {
    if (!largest) return;
    const { renderTime, loadTime, size, url, element, id } = largest;
    queue.push(
      InboxKind.INTERACTION_PAINT,
      { startTime, duration, renderTime, loadTime, size, url, interactionId },
      selectorOf(element) || (id ? "#" + id : ""),
    );
  };
  const begin = (entry: SoftNavigationEntry) => {
    const { name: url, startTime } = entry;
    const after = queue.items.filter((item) => isAfter(item, entry));
    queue.items = queue.items.filter((item) => !after.includes(item));
    const view: ViewFact = {
      startTime,
      type: NavigationType.SOFT_NAVIGATION,
      url,
      view: randomId(),
      route: routeFor(url, options.route),
      hidden: isHidden(),
    };
    queue.push(InboxKind.VIEW, view);
    queue.push(InboxKind.SOFT_NAVIGATION, entry);
    const largest = entry.getLargestInteractionContentfulPaint();
    if (largest) paint(largest);
    queue.items.push(...after);
  };
  observe(context, "interaction-contentful-paint", (entries) => (entries as InteractionPaintEntry[]).forEach(paint));
  observe(context, "soft-navigation", (entries) => {
    // What the other observers still hold is divided as well.
    if (entries[0]) drain();
    (entries as SoftNavigationEntry[]).forEach(begin);
  });
}
