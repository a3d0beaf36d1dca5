/**
 * Copies of the segments that were sealed since this file came. Only this thread writes into the ring, so while it runs no
 * segment changes under it, whatever the sender does; after every call that sealed something it looks at all of them.
 */
import { CoreStatus, Ring as Layout, RingHeaderWord, RingSegmentWord, RingState } from "../abi";
import type { OwnCore } from "../bridge/memory";
import type { ExplainedBeacon } from "../types";
import { decodeBeacon, type Schema } from "./decode";

/** Of at most 16 KiB each: 1 MiB. */
const KEPT_MAX = 64;
/** By RingState; 5: held back until the page turns bad. */
const STATES = ["", "", "waiting", "sending", "sent", "held"] as const;

export class Kept {
  readonly beacons: ExplainedBeacon[] = [];
  /** Beacons that were there and are not any more. */
  forgotten = 0;
  private readonly _at = new Map<number, ExplainedBeacon>();
  private readonly _words: Int32Array;

  constructor(
    private readonly _core: OwnCore,
    private readonly _schema: Schema,
    private readonly _onNew: (beacon: ExplainedBeacon) => void,
  ) {
    this._words = new Int32Array(_core.memory.buffer, _core.ringAddress, Layout.HEADER_BYTES / 4 + RingSegmentWord.WORDS * Layout.SEGMENTS);
    const core = _core as { -readonly [K in keyof OwnCore]: OwnCore[K] };
    const after = <A extends unknown[]>(call: (...args: A) => CoreStatus) => (...args: A) => {
      const status = call(...args);
      if (status === CoreStatus.SEALED) this.look();
      return status;
    };
    core.take = after(core.take);
    core.seal = after(core.seal);
    this.look();
  }

  /** Also tells what became of those that were seen before. */
  look(): void {
    for (let segment = 0; segment < Layout.SEGMENTS; segment++) {
      const at = RingHeaderWord.WORDS + segment * RingSegmentWord.WORDS;
      const state = Atomics.load(this._words, at + RingSegmentWord.STATE);
      const known = this._at.get(segment);
      if (state === RingState.FREE || state === RingState.OPEN) {
        if (known) this._close(segment, known);
        continue;
      }
      const bytes = this._copy(at);
      const [seq] = this._words.subarray(at + RingSegmentWord.SEQ);
      if (known && (known.seq !== seq || known.bytes !== bytes.length)) this._close(segment, known);
      const beacon = this._at.get(segment) ?? this._add(segment, bytes);
      if (beacon) beacon.state = STATES[state] || "held";
    }
  }

  private _copy(at: number): Uint8Array {
    const { buffer } = this._core.memory;
    const [offset, size] = this._words.subarray(at + RingSegmentWord.OFFSET);
    return new Uint8Array(buffer, this._core.ringAddress + this._words[RingHeaderWord.DATA_OFFSET] + offset, size).slice();
  }

  private _add(segment: number, bytes: Uint8Array): ExplainedBeacon | undefined {
    const content = decodeBeacon(bytes, this._schema);
    const { view_id, seq } = content.header as { view_id: string; seq?: number };
    const beacon: ExplainedBeacon = { view: view_id, seq: seq ?? 0, bytes: bytes.length, state: "waiting", content };
    this._at.set(segment, beacon);
    this.beacons.push(beacon);
    if (this.beacons.length > KEPT_MAX) {
      this.beacons.shift();
      this.forgotten++;
    }
    this._onNew(beacon);
    return beacon;
  }

  private _close(segment: number, beacon: ExplainedBeacon): void {
    this._at.delete(segment);
    beacon.state = beacon.state === "held" ? "dropped" : "sent";
  }
}
