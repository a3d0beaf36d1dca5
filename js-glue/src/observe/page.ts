/** What happens to the page as a whole: first input, load, activation, and the return from the back/forward cache. */
import { InboxKind, InboxLifecycle } from "../abi";
import type { IdleMark } from "../lib/idle_mark";
import { listen } from "../lib/listen";
import { isPrerendering } from "../lib/when_activated";
import { whenLoaded } from "../lib/when_loaded";
import type { Context, Source } from "./source";

export interface LifecycleFact {
  readonly event: InboxLifecycle;
  readonly time: number;
}

export function observePage(context: Context, idle: IdleMark, restored: (time: number) => void): Source {
  const push = (event: InboxLifecycle, time: number) => {
    const fact: LifecycleFact = { event, time };
    context.sink.push(InboxKind.LIFECYCLE, fact);
  };
  let stopInput = () => {};
  const watchInput = () => {
    stopInput();
    const input = (event: Event) => {
      // Scripts dispatch events too; only a person ends the LCP.
      if (!event.isTrusted) return;
      stopInput();
      push(InboxLifecycle.INPUT, event.timeStamp);
      idle.ask();
    };
    const offs = ["keydown", "click"].map((type) => listen(context, window, type, input));
    stopInput = () => offs.forEach((off) => off());
  };
  watchInput();
  whenLoaded(context.guard.wrap(() => push(InboxLifecycle.LOADED, performance.now())));
  const offs = [
    listen<PageTransitionEvent>(context, window, "pageshow", (event) => {
      if (!event.persisted) return;
      restored(event.timeStamp);
      watchInput();
    }),
  ];
  if (isPrerendering()) {
    offs.push(listen(context, document, "prerenderingchange", () => push(InboxLifecycle.ACTIVATED, performance.now())));
  }
  return {
    drain: () => {},
    stop: () => {
      stopInput();
      offs.forEach((off) => off());
    },
  };
}
