import { InboxKind } from "../abi";
import { observe } from "../lib/observe";
import type { Context, Source } from "./source";

export function observeLongTask(context: Context): Source | undefined {
  return observe(context, "longtask", (entries) => {
    for (const entry of entries) context.sink.push(InboxKind.LONG_TASK, entry);
  });
}
