/**
 * Stands where the core would be: what the bridge hands over becomes bodies, in order.
 *
 *   take ─► open body ── full, seal ──► bodies: 0 1 2 3 ...     `done` by the sender; kept in order until the collector has them
 *
 * A body means something only to a core that has all bodies from 0 on. So those that are done stay, as long as they are
 * 60,000 bytes together: for the page that is left before its worker is done, and for the collector that was restarted.
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
  /** A core has it: the worker's, or the collector's. */
  isDone: boolean;
  /** The collector's has. */
  isSent: boolean;
}

export class RawInbox implements Core {
  readonly words = new Float64Array(BATCH_WORDS_MAX);
  readonly strings = new Uint8Array(BATCH_STRING_BYTES_MAX);
  /** In order, without a gap. */
  bodies: Waiting[] = [];
  /** The page sends the collector no bodies any more: it misses some before the first of `bodies`, or is not to have them. */
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
    const body = { ...this._body.close({ monoMs: performance.now(), wallMs: Date.now() }, final), final, isDone: false, isSent: false };
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

  done(seq: number, isSent: boolean): void {
    for (const body of this.bodies) {
      if (body.seq !== seq) continue;
      body.isDone = true;
      body.isSent ||= isSent;
    }
    this._trim();
  }

  /** Whoever had the bodies has forgotten them. False: so have we. */
  again(): boolean {
    if (this.bodies[0]?.seq !== 0 || !this.bodies[0].isDone) return false;
    for (const body of this.bodies) body.isDone = body.isSent = false;
    return true;
  }

  private _trim(): void {
    const total = () => this.bodies.reduce((sum, { bytes }) => sum + bytes.length, 0);
    while (this.bodies[0]?.isDone && (this.isCut || total() > BODY_BYTES_MAX)) {
      const { isSent } = this.bodies.shift()!;
      this.isCut ||= !isSent;
    }
  }
}
