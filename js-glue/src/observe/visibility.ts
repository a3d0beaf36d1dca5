/**
 * When the page was visible: the browser's record of the time before us, once, and then visibilitychange as it
 * happens. Keeping the observer would report every later change twice.
 */
import { InboxKind } from "../abi";
import { isHidden } from "../lib/hidden";
import { listen } from "../lib/listen";
import { observe } from "../lib/observe";
import type { Context, Source } from "./source";

export interface VisibilityFact {
  readonly time: number;
  readonly hidden: boolean;
  readonly buffered: boolean;
}

export function observeVisibility(context: Context): Source {
  const push = (time: number, hidden: boolean, buffered: boolean) => {
    const fact: VisibilityFact = { time, hidden, buffered };
    context.sink.push(InboxKind.VISIBILITY, fact);
  };
  let isFirst = true;
  const entries = observe(context, "visibility-state", (states) => {
    if (!isFirst || !states[0]) return;
    isFirst = false;
    for (const state of states) push(state.startTime, state.name === "hidden", true);
    entries?.stop();
  });
  // Between pagehide and pageshow a change is part of leaving, which LIFECYCLE PAGEHIDE and VIEW already tell. Chromium
  // fires one after pagehide, and it alone would cost another beacon.
  let isGone = false;
  const offs = [
    listen(context, window, "pagehide", () => (isGone = true)),
    listen(context, window, "pageshow", () => (isGone = false)),
    listen(context, document, "visibilitychange", (event) => isGone || push(event.timeStamp, isHidden(), false)),
  ];
  return {
    drain: () => entries?.drain?.(),
    stop() {
      entries?.stop();
      offs.forEach((off) => off());
    },
  };
}
