/** What happens to the page as a whole: first input, load, activation, and the return from the back/forward cache. */
import { InboxKind, InboxLifecycle, NavigationType } from "../abi";
import { isHidden, orHidden } from "../lib/hidden";
import type { IdleMark } from "../lib/idle_mark";
import { listen } from "../lib/listen";
import type { Id128 } from "../lib/random";
import { isPrerendering } from "../lib/when_activated";
import type { Context } from "./source";

const INPUTS = ["keydown", "click"];

export interface LifecycleFact {
  readonly event: InboxLifecycle;
  readonly time: number;
}

export interface ViewFact {
  readonly startTime: number;
  readonly type: number;
  readonly url: string;
  /** These two are filled in before the record is written: the first random number takes a while. */
  view?: Id128;
  route?: string;
  readonly hidden: boolean;
}

export interface Restoring {
  /** A view is pushed whose first paint is not known yet: it must go into the same batch. */
  hold(): void;
  release(): void;
}

export function observePage(context: Context, idle: IdleMark, restoring: () => Restoring | undefined): void {
  const { guard, sink } = context;
  const push = (event: InboxLifecycle, time: number) => {
    const fact: LifecycleFact = { event, time };
    sink.push(InboxKind.LIFECYCLE, fact);
  };
  // Every one, not only the first: each view has an LCP of its own, and views may begin without this half knowing.
  INPUTS.forEach((type) =>
    listen(context, window, type, ({ isTrusted, timeStamp }) => {
      // Scripts dispatch events too; only a person ends the LCP.
      if (!isTrusted) return;
      push(InboxLifecycle.INPUT, timeStamp);
      idle.ask();
    }),
  );
  // Back from the back/forward cache: a new view, whose first paint is the frame after the next.
  listen<PageTransitionEvent>(context, window, "pageshow", ({ persisted, timeStamp }) => {
    if (!persisted) return;
    const fact: ViewFact = {
      startTime: timeStamp,
      type: NavigationType.BACK_FORWARD_CACHE,
      url: location.href,
      hidden: isHidden(),
    };
    context.viewStart = timeStamp;
    // Interactions up to here are of the old view, also those that were too short for an entry.
    idle.before();
    sink.push(InboxKind.VIEW, fact);
    restoring()?.hold();
    const painted = guard.wrap((hidden: boolean) => {
      if (!hidden) sink.push(InboxKind.PAINT, { name: "first-contentful-paint", startTime: performance.now() });
      restoring()?.release();
    });
    orHidden(painted, (done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  });
  if (!isPrerendering()) return;
  listen(context, document, "prerenderingchange", ({ timeStamp: time }) => {
    // In a background tab: a prerendered document says hidden anyway, so the core has to be told that it still is.
    if (isHidden()) sink.push(InboxKind.VISIBILITY, { time, hidden: true, buffered: false });
    push(InboxLifecycle.ACTIVATED, performance.now());
  });
}
