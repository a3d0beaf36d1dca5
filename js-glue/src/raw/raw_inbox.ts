/**
 * Stands where the core would be: what the bridge hands over becomes bodies, in order.
 *
 *   take ─► open body ── full, seal ──► bodies: 0 1 2 3 ...     `done` by the sender; kept in order until the collector has them
 *
 * With a worker, which runs the core itself, a body that is done may be needed yet: what the page sends when it is left
 * means something only to a collector that has all bodies from 0 on. So they stay, as long as they are 60,000 bytes together.
 */
import { CoreStats, CoreStatus } from "../abi";
import type { Core } from "../bridge/memory";
import { BATCH_STRING_BYTES_MAX, BATCH_WORDS_MAX, Body, BODY_BYTES_MAX } from "./body";

/** A ring's worth: what the core makes of four bodies fits its ring, so a worker never finds it full. */
const WAITING_MAX = 4;

export interface Waiting {
  readonly seq: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly final: boolean;
  isDone: boolean;
}

export class RawInbox implements Core {
  readonly words = new Float64Array(BATCH_WORDS_MAX);
  readonly strings = new Uint8Array(BATCH_STRING_BYTES_MAX);
  /** In order, without a gap. */
  bodies: Waiting[] = [];
  /** The collector gets no bodies any more: it misses some before the first of `bodies`, or it is not to have them. */
  isCut = false;
  /** Of whoever runs the core, as far as it tells. */
  latest: Float64Array = new Float64Array(CoreStats.WORDS).fill(NaN, CoreStats.LCP, CoreStats.TTFB + 1);
  private readonly _body = new Body();
  private _sinceMs = 0;

  /** `allows`: whether a batch may become a part of a body. */
  constructor(
    private readonly _onBody: (body: Waiting) => void,
    private readonly _allows: (words: Float64Array) => boolean = () => true,
  ) {}

  /** How many the sender is not done with. */
  get waiting(): number {
    return this.bodies.filter((body) => !body.isDone).length;
  }

  isFull(): boolean {
    return this.waiting >= WAITING_MAX;
  }

  take(words: number, stringBytes: number): CoreStatus {
    if (!this._allows(this.words)) return CoreStatus.OK;
    const status = this._body.fits(words, stringBytes) ? CoreStatus.OK : this.seal(false);
    if (this._body.isEmpty) this._sinceMs = performance.now();
    this._body.add(this.words.subarray(0, words), this.strings.subarray(0, stringBytes));
    return status;
  }

  seal(final: boolean): CoreStatus {
    if (this._body.isEmpty) return CoreStatus.OK;
    const body = { ...this._body.close({ monoMs: performance.now(), wallMs: Date.now() }, final), final, isDone: false };
    this.bodies.push(body);
    this.latest[CoreStats.BYTES_ENCODED] += body.bytes.length;
    this.latest[CoreStats.SEGMENTS_SEALED]++;
    this._onBody(body);
    this._trim();
    return CoreStatus.SEALED;
  }

  openAge(): number {
    return this._body.isEmpty ? 0 : performance.now() - this._sinceMs;
  }

  stop(): void {}

  stats(): Float64Array {
    return this.latest;
  }

  /** The core behind the worker has what is in it. */
  done(seq: number): void {
    for (const body of this.bodies) body.isDone ||= body.seq === seq;
    this._trim();
  }

  /** The collector has it. */
  drop(seq: number): void {
    this.bodies = this.bodies.filter((body) => body.seq !== seq);
  }

  private _trim(): void {
    const total = () => this.bodies.reduce((sum, { bytes }) => sum + bytes.length, 0);
    while (this.bodies[0]?.isDone && (this.isCut || total() > BODY_BYTES_MAX)) {
      this.bodies.shift();
      this.isCut = true;
    }
  }
}
