/**
 * The navigation entry, read once when the core starts: that is after the load event, so it is complete, and it must
 * come before the paints, whose values need activationStart.
 */
import { InboxKind } from "../abi";
import type { NavigationEntry } from "../lib/entries";
import type { Sink } from "./source";

export function pushNavigation(sink: Sink): void {
  const entry = performance.getEntriesByType?.("navigation")[0] as NavigationEntry | undefined;
  if (entry) sink.push(InboxKind.NAVIGATION, entry);
  const meta = document.querySelector<HTMLMetaElement>('meta[name="traceparent"]')?.content;
  if (meta) sink.push(InboxKind.META_TRACE, meta);
}
