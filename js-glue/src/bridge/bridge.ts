/**
 * Between the observers and the core: keeps entries until the core is there and the page is idle, then hands them over
 * with one call per batch.
 *
 *   observers --push--> queue --flush--> inbox --one call--> core --status--> "a segment was sealed"
 *
 * The queue is bounded, and what does not fit is counted by reason; the counts travel as LOSS records of the next batch.
 */
import { CoreStatus, InboxKind, LossReason } from "../abi";
import { budgetLevel, budgetSheds, type Level } from "../lib/budget";
import type { Guard } from "../lib/guard";
import type { Sink } from "../observe/source";
import { Batch } from "./batch";
import { marshal, type LossFact, type StartFact } from "./marshal";
import type { Core } from "./memory";

/** A page of 1,000 resources and its marks before the core is ready; about 200 KB of entries kept alive at worst. */
export const QUEUE_ITEMS_MAX = 2000;

interface Item {
  readonly kind: InboxKind;
  readonly item: unknown;
  readonly extra: string | number | undefined;
}

export class Bridge implements Sink {
  /** Called after a push, with the number of waiting items: the pace decides what to do. */
  onPush: (queued: number) => void = () => {};
  private _queue: Item[] = [];
  private _lost = new Map<LossReason, number>();
  private _core: Core | undefined;
  private _batch: Batch | undefined;
  private _level: Level = 0;

  constructor(
    private readonly _guard: Guard,
    private readonly _budgetMs: number,
  ) {}

  get queued(): number {
    return this._queue.length;
  }

  get isStarted(): boolean {
    return this._batch !== undefined;
  }

  push(kind: InboxKind, item: unknown, extra?: string | number): void {
    if (this._level > 0 && budgetSheds(kind, this._level)) return this.lose(LossReason.BUDGET, 1);
    if (this._queue.length >= QUEUE_ITEMS_MAX) return this.lose(LossReason.QUEUE_FULL, 1);
    this._queue.push({ kind, item, extra });
    this.onPush(this._queue.length);
  }

  lose(reason: LossReason, count: number): void {
    this._lost.set(reason, (this._lost.get(reason) ?? 0) + count);
  }

  /** The core is ready. `first` are records that must come before what the observers have queued: START, navigation. */
  start(core: Core, start: StartFact, fill: (first: Sink) => void): void {
    const first: Item[] = [{ kind: InboxKind.START, item: start, extra: undefined }];
    fill({ push: (kind, item, extra) => void first.push({ kind, item, extra }), lose: () => {} });
    this._queue = first.concat(this._queue);
    this._core = core;
    this._batch = new Batch(core.words);
  }

  /** Hands over up to `limit` items. True: at least one segment was sealed. */
  flush(limit = Infinity): boolean {
    const batch = this._batch;
    if (!batch || this._guard.off) return false;
    let sealed = false;
    const items = this._queue.splice(0, Math.min(limit, this._queue.length));
    for (const item of items) sealed = this._write(batch, item) || sealed;
    sealed = this._writeLedger(batch) || sealed;
    this._updateLevel();
    return this._hand(batch) || sealed;
  }

  /** Seals the open segment. True: there is something to send. */
  seal(final: boolean): boolean {
    return !!this._core && !this._guard.off && this._check(this._core.seal(final));
  }

  openAge(): number {
    return this._core && !this._guard.off ? this._core.openAge() : 0;
  }

  lostCounts(): ReadonlyMap<LossReason, number> {
    return this._lost;
  }

  private _write(batch: Batch, { kind, item, extra }: Item): boolean {
    if (this._tryWrite(batch, kind, item, extra)) return false;
    if (batch.isEmpty) {
      this.lose(LossReason.TOO_LARGE, 1);
      return false;
    }
    const sealed = this._hand(batch);
    if (!this._tryWrite(batch, kind, item, extra)) this.lose(LossReason.TOO_LARGE, 1);
    return sealed;
  }

  private _tryWrite(batch: Batch, kind: InboxKind, item: unknown, extra: string | number | undefined): boolean {
    try {
      marshal(batch, kind, item, extra);
    } catch (error) {
      // A getter of the page's browser threw: this entry is lost, the batch is not.
      batch.rollback();
      this.lose(LossReason.BAD_ENTRY, 1);
      this._guard.swallow(error);
      return true;
    }
    return batch.commit();
  }

  private _writeLedger(batch: Batch): boolean {
    let sealed = false;
    for (const [reason, count] of this._lost) {
      this._lost.delete(reason);
      const fact: LossFact = { reason, count };
      sealed = this._write(batch, { kind: InboxKind.LOSS, item: fact, extra: undefined }) || sealed;
    }
    const us = this._guard.takeSpentUs();
    if (us > 0) sealed = this._write(batch, { kind: InboxKind.METER, item: us, extra: undefined }) || sealed;
    return sealed;
  }

  private _hand(batch: Batch): boolean {
    if (batch.isEmpty || !this._core) return false;
    const words = batch.at;
    const status = this._core.take(words, batch.encodeStrings(this._core.strings));
    batch.reset();
    return this._check(status);
  }

  private _check(status: CoreStatus): boolean {
    if (status < 0) this._guard.disable("core refused a call: " + status);
    return status === CoreStatus.SEALED;
  }

  private _updateLevel(): void {
    this._level = budgetLevel(this._guard.spentMs, performance.now(), this._budgetMs);
    if (this._level === 4) this._guard.disable("over the main-thread budget");
  }
}
