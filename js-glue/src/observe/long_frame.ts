import { InboxKind } from "../abi";
import type { LongFrameEntry } from "../lib/entries";
import { observe } from "../lib/observe";
import type { Context, Source } from "./source";

export function observeLongFrame(context: Context): Source | undefined {
  return observe<LongFrameEntry>(context, "long-animation-frame", (entries) => {
    for (const entry of entries) context.sink.push(InboxKind.LONG_FRAME, entry);
  });
}
