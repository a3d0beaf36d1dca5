import { InboxKind } from "../abi";
import { observe } from "../lib/observe";
import type { Context, Source } from "./source";

export function observePaint(context: Context): Source | undefined {
  return observe(context, "paint", (entries) => {
    for (const entry of entries) context.sink.push(InboxKind.PAINT, entry);
  });
}
