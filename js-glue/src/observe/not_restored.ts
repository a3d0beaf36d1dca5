/** Why the browser could not bring the page back from the back/forward cache: one record a reason and frame. */
import { InboxKind, LossReason } from "../abi";
import type { NavigationEntry, NotRestored } from "../lib/entries";
import type { Sink } from "./source";

// The page and a few frames with some reasons each; what a page with hundreds of frames has more is only counted.
const REASONS_MAX = 16;

export function pushNotRestored(sink: Sink): void {
  const root = (performance.getEntriesByType?.("navigation")[0] as NavigationEntry | undefined)?.notRestoredReasons;
  const frames: [frame: NotRestored, depth: number][] = root ? [[root, 0]] : [];
  let count = 0;
  // Children are appended while the list is walked: the page first, then its frames, then theirs.
  for (const [{ reasons, children, url, src }, depth] of frames) {
    for (const { reason } of reasons ?? []) {
      if (count++ < REASONS_MAX) sink.push(InboxKind.NOT_RESTORED, { reason, url: depth && (url || src), depth });
      else sink.lose(LossReason.BUDGET, 1);
    }
    for (const child of children ?? []) frames.push([child, depth + 1]);
  }
}
