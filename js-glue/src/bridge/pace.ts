/**
 * When to flush and when to seal. Batches of a second or 64 entries, in idle time; a first segment soon after load, so
 * that a short visit is known; later ones when they are full (the core decides) or old. While the page waits for a
 * frame after a return from the back/forward cache, `hold` keeps the queue together.
 */
import type { Guard } from "../lib/guard";
import { whenIdle } from "../lib/when_idle";
import type { Bridge } from "./bridge";

const BATCH_MS = 1000;
const BATCH_ITEMS = 64;
/** About 3 ms of work on a slow machine: more than that waits for the next idle period. */
const SLICE_ITEMS = 256;
const IDLE_TIMEOUT_MS = 1000;
const HELD_MS = 100;
const FIRST_SEAL_MS = 2000;

export class Pace {
  private _batchTimer: ReturnType<typeof setTimeout> | undefined;
  private _sealTimer: ReturnType<typeof setTimeout> | undefined;
  private _isIdleAsked = false;
  private _isFirst = true;
  private _isHeld = false;

  constructor(
    private readonly _guard: Guard,
    private readonly _bridge: Bridge,
    private readonly _sealAgeMs: number,
    private readonly _onSealed: () => void,
  ) {
    _bridge.onPush = (queued) => this._pushed(queued);
  }

  /** The core has started: from now on there is something to do. */
  start(): void {
    this._askIdle();
    this._armSeal(FIRST_SEAL_MS);
  }

  hold(): void {
    this._isHeld = true;
  }

  release(): void {
    this._isHeld = false;
    this.flush();
  }

  /** Everything that waits, now. */
  flush(): void {
    if (this._isHeld) return;
    if (this._bridge.flush(SLICE_ITEMS)) this._onSealed();
    if (this._bridge.queued) this._askIdle();
    if (!this._isFirst && this._sealTimer === undefined) this._armSealByAge();
  }

  stop(): void {
    clearTimeout(this._batchTimer);
    clearTimeout(this._sealTimer);
    this._bridge.onPush = () => {};
  }

  private _pushed(queued: number): void {
    if (!this._bridge.isStarted) return;
    if (queued >= BATCH_ITEMS) this._askIdle();
    else this._batchTimer ??= setTimeout(() => {
      this._batchTimer = undefined;
      this._askIdle();
    }, BATCH_MS);
  }

  private _askIdle(): void {
    if (this._isIdleAsked) return;
    this._isIdleAsked = true;
    whenIdle(
      this._guard.wrap(() => {
        this._isIdleAsked = false;
        this.flush();
      }),
      IDLE_TIMEOUT_MS,
    );
  }

  private _armSealByAge(): void {
    const age = this._bridge.openAge();
    if (age > 0) this._armSeal(Math.max(this._sealAgeMs - age, 0));
  }

  private _armSeal(delayMs: number): void {
    this._sealTimer = setTimeout(
      this._guard.wrap(() => {
        if (this._isHeld) return this._armSeal(HELD_MS);
        const flushed = this._bridge.flush();
        const sealed = this._bridge.seal(false);
        this._sealTimer = undefined;
        this._isFirst = false;
        if (flushed || sealed) this._onSealed();
      }),
      delayMs,
    );
  }
}
