/**
 * LIFECYCLE IDLE: tells the core that the entries of the frames so far have all arrived, so that it may evaluate queued
 * events and close the LCP. Asked for by whoever pushed something that waits for it; one mark answers all.
 */
import { InboxKind, InboxLifecycle } from "../abi";
import type { LifecycleFact } from "../observe/page";
import type { Context } from "../observe/source";
import { whenIdleOrHidden } from "./when_idle_or_hidden";

export class IdleMark {
  /** Pushes what the core must know before it evaluates. */
  before: () => void = () => {};
  private _isAsked = false;

  constructor(private readonly _context: Context) {}

  ask(): void {
    if (this._isAsked) return;
    this._isAsked = true;
    whenIdleOrHidden(this._context.guard.wrap(() => this.settle()));
  }

  /** Now, when the page is being left; nothing when nobody asked. */
  settle(): void {
    if (!this._isAsked) return;
    this._isAsked = false;
    this.before();
    const fact: LifecycleFact = { event: InboxLifecycle.IDLE, time: performance.now() };
    this._context.sink.push(InboxKind.LIFECYCLE, fact);
  }
}
