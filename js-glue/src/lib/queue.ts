/**
 * What waits for the core: filled by the observers from the first moment, emptied by the bridge. Bounded, and what does
 * not fit is counted by reason.
 */
import { LossReason, type InboxKind } from "../abi";
import type { Sink } from "../observe/source";

/** A page of 1,000 resources and its marks before the core is ready; about 200 KB of entries kept alive at worst. */
export const QUEUE_ITEMS_MAX = 2000;

export type Item = readonly [kind: InboxKind, item: unknown, extra?: string | number];

export class Queue implements Sink {
  items: Item[] = [];
  lost = new Map<LossReason, number>();
  /** Called after a push: the pace decides what to do. */
  onPush: () => void = () => {};
  /** Over the budget, kinds of records are refused. */
  sheds: (kind: InboxKind) => boolean = () => false;

  push(kind: InboxKind, item: unknown, extra?: string | number): void {
    if (this.sheds(kind)) return this.lose(LossReason.BUDGET, 1);
    if (this.items.length >= QUEUE_ITEMS_MAX) return this.lose(LossReason.QUEUE_FULL, 1);
    this.items.push([kind, item, extra]);
    this.onPush();
  }

  lose(reason: LossReason, count: number): void {
    this.lost.set(reason, (this.lost.get(reason) ?? 0) + count);
  }
}
