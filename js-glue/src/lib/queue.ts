/**
 * What waits for the core: filled by the observers from the first moment, emptied by the bridge. Bounded, and what does
 * not fit is counted by reason. When room is short, what the vitals are made of still finds some:
 *
 *   | resources, marks, events of no interaction, ... : 2,000 | what the vitals are made of: + 500 | state: + 500 |
 */
import { InboxKind, LossReason } from "../abi";
import type { Sink } from "../observe/source";

/** A page of 1,000 resources and its marks before the core is ready; about 300 KB of entries kept alive at worst. */
export const QUEUE_ITEMS_MAX = 2000;
/** Ten a second for a minute before the core is ready, or before the visitor has decided. */
export const QUEUE_RESERVE = 500;

export type Item = readonly [kind: InboxKind, item: unknown, extra?: string | number];

const VITAL_KINDS =
  (1 << InboxKind.NAVIGATION) |
  (1 << InboxKind.PAINT) |
  (1 << InboxKind.LARGEST_PAINT) |
  (1 << InboxKind.LAYOUT_SHIFT) |
  (1 << InboxKind.EVENT) |
  (1 << InboxKind.INTERACTION_COUNT) |
  (1 << InboxKind.INTERACTION_PAINT);
/** Without these, what comes after is misread. Bits 0 and 1 are also kinds 32 and 33: a shift counts modulo 32. */
const STATE_KINDS =
  (1 << InboxKind.ROUTE) |
  (1 << InboxKind.SESSION) |
  (1 << InboxKind.VIEW) |
  (1 << InboxKind.SOFT_NAVIGATION) |
  (1 << InboxKind.VISIBILITY) |
  (1 << InboxKind.LIFECYCLE) |
  (1 << InboxKind.CONFIG);

export class Queue implements Sink {
  items: Item[] = [];
  lost = new Map<LossReason, number>();
  /** Called after a push: the pace decides what to do. */
  onPush: () => void = () => {};
  /** Bit n: records of kind n are refused, for this reason. The core says so. */
  sheds = 0;
  reason = LossReason.BUDGET;

  push(kind: InboxKind, item: unknown, extra?: string | number): void {
    if ((this.sheds >>> kind) & 1) return this.lose(this.reason, 1);
    const isVital = (1 << kind) & VITAL_KINDS && (kind !== InboxKind.EVENT || (item as { interactionId?: number }).interactionId);
    const reserve = (1 << kind) & STATE_KINDS ? 2 * QUEUE_RESERVE : isVital ? QUEUE_RESERVE : 0;
    if (this.items.length >= QUEUE_ITEMS_MAX + reserve) return this.lose(LossReason.QUEUE_FULL, 1);
    this.items.push([kind, item, extra]);
    this.onPush();
  }

  lose(reason: LossReason, count: number): void {
    this.lost.set(reason, (this.lost.get(reason) ?? 0) + count);
  }
}
