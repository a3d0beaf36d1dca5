/** Paints of the elements that the page marks with `elementtiming`. */
import { InboxKind } from "../abi";
import type { ElementEntry } from "../lib/entries";
import { observe } from "../lib/observe";
import { selectorOf } from "../lib/selector";
import type { Context } from "./source";

export function observeElement(context: Context): void {
  observe(context, "element", (entries) => {
    for (const entry of entries as ElementEntry[]) {
      context.sink.push(InboxKind.ELEMENT, entry, selectorOf(entry.element) || (entry.id && "#" + entry.id));
    }
  });
}
