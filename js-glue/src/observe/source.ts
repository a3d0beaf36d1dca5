/** What an observer is given. Observers copy and enqueue; nothing is evaluated in a callback. */
import type { InboxKind, LossReason } from "../abi";
import type { Guard } from "../lib/guard";

export interface Sink {
  /** `item` is what the marshaller of that kind expects; `extra` is what had to be read on arrival. */
  push(kind: InboxKind, item: unknown, extra?: string | number): void;
  /** Entries lost before they could be pushed, by LossReason. */
  lose(reason: LossReason, count: number): void;
}

export interface Context {
  /** When the current view began, for what starts over with each. */
  viewStart: number;
  /**
   * Between pagehide and pageshow a change of visibility is part of leaving, which LIFECYCLE PAGEHIDE and VIEW already tell.
   * Chromium fires one after pagehide, and it alone would cost another beacon.
   */
  isGone?: boolean;
  readonly guard: Guard;
  readonly sink: Sink;
  /** Each hands over what the browser holds back for the next callback. */
  readonly drains: (() => void)[];
  /** Each takes off one listener, observer or wrapper. */
  readonly stops: (() => void)[];
}
