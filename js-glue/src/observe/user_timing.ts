import { InboxKind } from "../abi";
import { observe } from "../lib/observe";
import type { Context, Source } from "./source";

export function observeUserTiming(context: Context): Source {
  const take = (entries: PerformanceEntry[]) => {
    for (const entry of entries) context.sink.push(InboxKind.USER_TIMING, entry);
  };
  const sources = [observe(context, "mark", take), observe(context, "measure", take)];
  return {
    drain: () => sources.forEach((source) => source?.drain()),
    stop: () => sources.forEach((source) => source?.stop()),
  };
}
