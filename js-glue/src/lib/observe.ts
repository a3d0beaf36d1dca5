/**
 * One PerformanceObserver for one type, with the entries from before it existed. One type each, because `buffered`
 * works only with `type`, and because several types in one observer arrive out of order.
 */
import { LossReason } from "../abi";
import type { Context } from "../observe/source";

export function isSupported(type: string): boolean {
  return !!globalThis.PerformanceObserver?.supportedEntryTypes?.includes(type);
}

export function observe(
  { guard, sink, drains, stops }: Context,
  type: string,
  take: (entries: PerformanceEntry[]) => void,
  options?: object,
): void {
  if (!isSupported(type)) return;
  // Each on its own: a browser that refuses one type still has the others.
  guard.run(() => {
    const observer = new PerformanceObserver(
      guard.wrap((list: PerformanceObserverEntryList, _observer?: unknown, more?: { droppedEntriesCount?: number }) => {
        // Chromium tells once, in the first callback, what overflowed before we came.
        if (more?.droppedEntriesCount) sink.lose(LossReason.BROWSER_DROPPED, more.droppedEntriesCount);
        take(list.getEntries());
      }),
    );
    observer.observe({ type, buffered: true, ...options });
    drains.push(guard.wrap(() => take(observer.takeRecords())));
    stops.push(() => observer.disconnect());
  });
}
