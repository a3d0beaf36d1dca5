/**
 * One PerformanceObserver for one type, with the entries from before it existed. One type each, because `buffered`
 * works only with `type`, and because several types in one observer arrive out of order.
 */
import { LossReason } from "../abi";
import type { Context, Source } from "../observe/source";

export function isSupported(type: string): boolean {
  return typeof PerformanceObserver === "function" && !!PerformanceObserver.supportedEntryTypes?.includes(type);
}

export function observe<E extends PerformanceEntry>(
  { guard, sink }: Context,
  type: string,
  take: (entries: E[]) => void,
  options?: { durationThreshold: number },
): Source | undefined {
  if (!isSupported(type)) return undefined;
  const observer = new PerformanceObserver((list, _observer, more?: { droppedEntriesCount?: number }) =>
    guard.run(() => {
      // Chromium tells once, in the first callback, what overflowed before we came.
      if (more?.droppedEntriesCount) sink.lose(LossReason.BROWSER_DROPPED, more.droppedEntriesCount);
      take(list.getEntries() as E[]);
    }),
  );
  observer.observe({ type, buffered: true, ...options } as PerformanceObserverInit);
  return {
    drain: () => guard.run(() => take(observer.takeRecords() as E[])),
    stop: () => observer.disconnect(),
  };
}
