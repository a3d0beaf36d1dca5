/**
 * Between the queue and the core: hands what the observers have pushed over with one call per batch, in idle time.
 *
 *   observers --push--> queue --flush--> inbox --one call--> core --status--> "a segment was sealed"
 *
 * What was lost is counted by reason; the counts travel as LOSS records of the next batch.
 */
import { CoreStats, CoreStatus, InboxKind, LossReason } from "../abi";
import type { Guard } from "../lib/guard";
import { Queue, type Item } from "../lib/queue";
import { Repeats } from "../lib/repeats";
import { settleRoutes } from "../lib/route";
import type { Sink } from "../observe/source";
import { Batch } from "./batch";
import { marshal, type ConfigFact, type LossFact, type StartFact } from "./marshal";
import type { Core } from "./memory";

const ALL_KINDS = 0xffffffff;

export class Bridge implements Sink {
  private _core: Core | undefined;
  private _batch!: Batch;
  private _reportedMs = 0;
  private readonly _repeats = new Repeats();

  constructor(
    private readonly _guard: Guard,
    readonly queue = new Queue(),
  ) {}

  /** What could be handed over now. */
  get queued(): number {
    return this._core?.isFull?.() ? 0 : this.queue.items.length;
  }

  push(kind: InboxKind, item: unknown, extra?: string | number): void {
    this.queue.push(kind, item, extra);
  }

  lose(reason: LossReason, count: number): void {
    this.queue.lose(reason, count);
  }

  /** The core is ready. `fill` gives records that must come before what the observers have queued: the navigation. */
  start(core: Core, start: StartFact, config: ConfigFact, fill: (first: Sink) => void): void {
    const first: Item[] = [[InboxKind.START, start], [InboxKind.CONFIG, config]];
    fill({ push: (...item) => void first.push(item), lose() {} });
    this.queue.items = first.concat(this.queue.items);
    this._core = core;
    this._batch = new Batch(core.words, core.strings.length, !!core.isFull);
  }

  /** Hands over up to `limit` items. True: at least one segment was sealed. */
  flush(limit = Infinity): boolean {
    if (!this._core || this._guard.off || this._core.isFull?.()) return false;
    const { queue } = this;
    settleRoutes(queue, true);
    let sealed = false;
    const write = (item: Item) => void (sealed = this._write(item) || sealed);
    queue.items.splice(0, Math.min(limit, queue.items.length)).forEach(write);
    for (const [reason, count] of queue.lost) {
      queue.lost.delete(reason);
      const fact: LossFact = { reason, count };
      write([InboxKind.LOSS, fact]);
    }
    // Whole microseconds; the rest is carried over: outside isolation the clock steps by 0.1-1 ms.
    const us = Math.floor((this._guard.spentMs - this._reportedMs) * 1000);
    this._reportedMs += us / 1000;
    if (us > 0) write([InboxKind.METER, us]);
    sealed = this._hand() || sealed;
    this._obey();
    return sealed;
  }

  /** What the core would refuse is not brought to it. */
  private _obey(): void {
    if (this._guard.off) return;
    const stats = this._core!.stats();
    this.queue.sheds = stats[CoreStats.SHEDS];
    this.queue.reason = stats[CoreStats.SHED_REASON];
    // The last ledger is sealed; whoever is told that we are off sends it.
    if (this.queue.sheds === ALL_KINDS) this._guard.disable("over the budget");
  }

  /** Seals the open segment. True: there is something to send. */
  seal(final: boolean): boolean {
    return !!this._core && !this._guard.off && this._check(this._core.seal(final));
  }

  openAge(): number {
    return this._core && !this._guard.off ? this._core.openAge() : 0;
  }

  private _write(item: Item): boolean {
    if (this._repeats.refuses(item)) {
      this.lose(LossReason.BUDGET, 1);
      return false;
    }
    if (this._tryWrite(item)) return false;
    // The batch is full, or the record is larger than any batch.
    const sealed = this._hand();
    if (!this._tryWrite(item)) this.lose(LossReason.TOO_LARGE, 1);
    return sealed;
  }

  private _tryWrite(item: Item): boolean {
    try {
      marshal(this._batch, item[0], item[1], item[2]);
    } catch (error) {
      // A getter of the page's browser threw: this entry is lost, the batch is not.
      this._batch.rollback();
      this.lose(LossReason.BAD_ENTRY, 1);
      this._guard.swallow(error);
      return true;
    }
    return this._batch.commit();
  }

  private _hand(): boolean {
    const batch = this._batch;
    if (batch.isEmpty) return false;
    const words = batch.at;
    const status = this._core!.take(words, batch.encodeStrings(this._core!.strings));
    batch.reset();
    return this._check(status);
  }

  private _check(status: CoreStatus): boolean {
    if (status < 0) this._guard.disable("core refused a call: " + status);
    return status === CoreStatus.SEALED;
  }
}
