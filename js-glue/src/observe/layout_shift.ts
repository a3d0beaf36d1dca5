import { InboxKind } from "../abi";
import type { LayoutShiftEntry } from "../lib/entries";
import { observe } from "../lib/observe";
import { selectorOf } from "../lib/selector";
import type { Context, Source } from "./source";

/** web-vitals blames the first source that is an element. Shifts after input do not count, so nobody asks for theirs. */
function targetOf(entry: LayoutShiftEntry): string {
  if (entry.hadRecentInput || !entry.sources?.length) return "";
  const source = entry.sources.find((candidate) => candidate.node?.nodeType === 1) ?? entry.sources[0];
  return selectorOf(source.node);
}

export function observeLayoutShift(context: Context): Source | undefined {
  return observe<LayoutShiftEntry>(context, "layout-shift", (entries) => {
    for (const entry of entries) context.sink.push(InboxKind.LAYOUT_SHIFT, entry, targetOf(entry));
  });
}
