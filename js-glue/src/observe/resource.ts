import { InboxKind } from "../abi";
import type { ResourceEntry } from "../lib/entries";
import { observe } from "../lib/observe";
import type { Context, Source } from "./source";

export function observeResource(context: Context, isOwn: (name: string) => boolean): Source | undefined {
  return observe<ResourceEntry>(context, "resource", (entries) => {
    for (const entry of entries) if (!isOwn(entry.name)) context.sink.push(InboxKind.RESOURCE, entry);
  });
}
