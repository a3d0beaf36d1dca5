/** What an observer is given and what it gives back. Observers copy and enqueue; nothing is evaluated in a callback. */
import type { InboxKind, LossReason } from "../abi";
import type { Guard } from "../lib/guard";

export interface Sink {
  /** `item` is what the marshaller of that kind expects; `extra` is what had to be read on arrival. */
  push(kind: InboxKind, item: unknown, extra?: string | number): void;
  /** Entries lost before they could be pushed, by LossReason. */
  lose(reason: LossReason, count: number): void;
}

export interface Context {
  readonly guard: Guard;
  readonly sink: Sink;
}

export interface Source {
  /** Hands over what the browser holds back for the next callback. */
  drain?(): void;
  stop(): void;
}
