import { InboxKind } from "../abi";
import type { LargestPaintEntry } from "../lib/entries";
import { observe } from "../lib/observe";
import { selectorOf } from "../lib/selector";
import type { Context, Source } from "./source";

export interface LargestPaint {
  readonly entry: LargestPaintEntry;
  /** Only the last entry of a batch is a candidate for web-vitals. */
  readonly last: boolean;
}

// The element may be removed before the batch is written, so its selector is taken now.
function targetOf(entry: LargestPaintEntry): string {
  return selectorOf(entry.element) || (entry.id ? "#" + entry.id : "");
}

export function observeLargestPaint(context: Context): Source | undefined {
  return observe<LargestPaintEntry>(context, "largest-contentful-paint", (entries) => {
    entries.forEach((entry, at) => {
      const paint: LargestPaint = { entry, last: at === entries.length - 1 };
      context.sink.push(InboxKind.LARGEST_PAINT, paint, targetOf(entry));
    });
  });
}
