/**
 * LIFECYCLE IDLE: tells the core that the entries of the frames so far have all arrived, so that it may evaluate queued
 * events and close the LCP. Asked for by whoever pushed something that waits for it; one mark answers all.
 */
import { InboxKind, InboxLifecycle } from "../abi";
import type { Context } from "../observe/source";
import { orHidden } from "./hidden";
import { whenIdle } from "./when_idle";

// A busy page may never be idle, and interactions must be evaluated while their frame is still remembered.
const IDLE_TIMEOUT_MS = 1000;

export interface IdleMark {
  /** Pushes what the core must know before it evaluates. */
  before: () => void;
  ask(): void;
  /** Now, when the page is being left. `before` also when nobody asked: short interactions are counted but have no entry. */
  settle(): void;
}

export function idleMark({ guard, sink }: Context): IdleMark {
  let isAsked = false;
  const self: IdleMark = {
    before() {},
    ask() {
      if (isAsked) return;
      isAsked = true;
      orHidden(guard.wrap(self.settle), (done) => whenIdle(done, IDLE_TIMEOUT_MS));
    },
    settle() {
      self.before();
      if (!isAsked) return;
      isAsked = false;
      sink.push(InboxKind.LIFECYCLE, { event: InboxLifecycle.IDLE, time: performance.now() });
    },
  };
  return self;
}
