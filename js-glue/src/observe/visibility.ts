/**
 * When the page was visible: the browser's record of the time before us, once, and then visibilitychange as it happens.
 * An observer would report every later change a second time, and the record must come before the paints, which count only
 * when they came before it says hidden: so it is read at once.
 */
import { InboxKind } from "../abi";
import { isHidden } from "../lib/hidden";
import { listen } from "../lib/listen";
import { isSupported } from "../lib/observe";
import type { Context } from "./source";

export interface VisibilityFact {
  readonly time: number;
  readonly hidden: boolean;
  readonly buffered: boolean;
}

export function observeVisibility(context: Context): void {
  const push = (time: number, hidden: boolean, buffered: boolean) => {
    const fact: VisibilityFact = { time, hidden, buffered };
    context.sink.push(InboxKind.VISIBILITY, fact);
  };
  // On its own: without it there are still all the other sources.
  context.guard.run(() => {
    const states = isSupported("visibility-state") ? performance.getEntriesByType("visibility-state") : [];
    for (const state of states) push(state.startTime, state.name === "hidden", true);
  });
  listen(context, document, "visibilitychange", (event) => context.isGone || push(event.timeStamp, isHidden(), false));
}
