/**
 * The consumer's side of the ring (wasm/ring/RING.md): stateless over shared memory, so the worker, the main thread and
 * the exit path may all try, and the compare-and-swap on a segment's state decides.
 */
import { Ring as Layout, RingHeaderWord, RingSegmentWord, RingState } from "./abi";

const RING_WORDS = RingHeaderWord.WORDS + RingSegmentWord.WORDS * Layout.SEGMENTS;

/** Segments. */
export interface Counts {
  readonly sent: number;
  readonly abandoned: number;
  readonly retries: number;
}

export class Ring {
  private readonly _words: Int32Array;
  private readonly _data: Uint8Array;

  constructor(buffer: ArrayBufferLike, address: number) {
    this._words = new Int32Array(buffer, address, RING_WORDS);
    const isOurs =
      this._words[RingHeaderWord.MAGIC] >>> 0 === Layout.MAGIC &&
      this._words[RingHeaderWord.SEGMENTS] === Layout.SEGMENTS &&
      this._words[RingHeaderWord.DATA_BYTES] === Layout.DATA_BYTES;
    if (!isOurs) throw new Error("no ring at this address");
    this._data = new Uint8Array(buffer, address + this._words[RingHeaderWord.DATA_OFFSET], Layout.DATA_BYTES);
  }

  /** Takes the oldest SEALED segment. Returns its index, or -1: nothing to take. */
  take(): number {
    for (;;) {
      const segment = this._oldest();
      if (segment < 0 || this.takeAt(segment)) return segment;
    }
  }

  /** Takes this segment if it is SEALED. False: somebody else was faster, or there is nothing in it. */
  takeAt(segment: number): boolean {
    return this._swap(segment, RingState.SEALED, RingState.TAKEN);
  }

  state(segment: number): RingState {
    return this._word(segment, RingSegmentWord.STATE);
  }

  /** A private copy: neither fetch nor sendBeacon may be given shared memory. Valid while the segment is TAKEN. */
  copy(segment: number): Uint8Array<ArrayBuffer> {
    const offset = this._word(segment, RingSegmentWord.OFFSET);
    return new Uint8Array(this._data.subarray(offset, offset + this._word(segment, RingSegmentWord.SIZE)));
  }

  seq(segment: number): number {
    return this._word(segment, RingSegmentWord.SEQ) >>> 0;
  }

  /** `sent`: acked by the collector; otherwise given up. The count comes first: ACKED hands the segment back. */
  release(segment: number, sent: boolean): void {
    Atomics.add(this._words, sent ? RingHeaderWord.SENT : RingHeaderWord.ABANDONED, 1);
    this._swap(segment, RingState.TAKEN, RingState.ACKED);
  }

  /** Back to SEALED, to be taken again. */
  putBack(segment: number): void {
    this.countRetries(1);
    this._swap(segment, RingState.TAKEN, RingState.SEALED);
  }

  countRetries(retries: number): void {
    Atomics.add(this._words, RingHeaderWord.RETRIES, retries);
  }

  counts(): Counts {
    const [sent, abandoned, retries] = this._words.subarray(RingHeaderWord.SENT, RingHeaderWord.RETRIES + 1);
    return { sent, abandoned, retries };
  }

  /** Wakes whoever sleeps in `sealedChanged`. */
  notify(): void {
    Atomics.notify(this._words, RingHeaderWord.SEALED);
  }

  sealed(): number {
    return Atomics.load(this._words, RingHeaderWord.SEALED);
  }

  get isStopped(): boolean {
    return Atomics.load(this._words, RingHeaderWord.STOPPED) !== 0;
  }

  /**
   * Sleeps until more than `seen` segments were sealed, or somebody notifies, or the time is over. Only for a worker:
   * without waitAsync it blocks, so the caller must have nothing in flight.
   */
  async sealedChanged(seen: number, timeoutMs: number, blockMs: number): Promise<void> {
    if (Atomics.waitAsync as unknown) return void (await Atomics.waitAsync(this._words, RingHeaderWord.SEALED, seen, timeoutMs).value);
    Atomics.wait(this._words, RingHeaderWord.SEALED, seen, blockMs);
    // Let the messages in that came while we were blocked.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  private _oldest(): number {
    let oldest = -1;
    for (let segment = 0; segment < Layout.SEGMENTS; segment++) {
      if (this._word(segment, RingSegmentWord.STATE) !== RingState.SEALED) continue;
      if (oldest < 0 || this.seq(segment) < this.seq(oldest)) oldest = segment;
    }
    return oldest;
  }

  private _at(segment: number): number {
    return RingHeaderWord.WORDS + segment * RingSegmentWord.WORDS;
  }

  private _word(segment: number, word: RingSegmentWord): number {
    return Atomics.load(this._words, this._at(segment) + word);
  }

  private _swap(segment: number, from: RingState, to: RingState): boolean {
    return Atomics.compareExchange(this._words, this._at(segment) + RingSegmentWord.STATE, from, to) === from;
  }
}
