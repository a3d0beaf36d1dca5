/**
 * A raw-inbox body (proto/WIRE.md): batches as the bridge would hand them to the core, for whoever runs it instead.
 *
 *   0 "VTRI" | 4 ABI version | 5 flags | 6 0 0 | 8 seq | 12 mono ms | 20 wall ms | 28 view id of START |
 *   44 batch | batch | ...        batch: words | string bytes | words x f64 | string bytes, padded to 8
 *
 * Everything is little-endian, as every browser's typed arrays are; the id's words are not, as in a beacon.
 */
import { type CoreStatus, Inbox, InboxStart } from "../abi";
import type { Core } from "../bridge/memory";

export const BODY_BYTES_MAX = 60_000;
/** The largest batch, 8 + 24,576 + 32,768 bytes behind the 44 of the header, fits a body. */
export const BATCH_WORDS_MAX = 3072;
export const BATCH_STRING_BYTES_MAX = 32_768;
const HEADER_BYTES = 44;
const BATCH_HEADER_BYTES = 8;
const ID_WORDS = 4;
const FINAL = 1;

const paddedSize = (bytes: number) => (bytes + 7) & ~7;

export interface BodyClock {
  monoMs: number;
  wallMs: number;
}

/** One body under construction. */
export class Body {
  private readonly _bytes = new Uint8Array(BODY_BYTES_MAX);
  private readonly _view = new DataView(this._bytes.buffer);
  private _at = HEADER_BYTES;
  private _seq = 0;

  get isEmpty(): boolean {
    return this._at === HEADER_BYTES;
  }

  fits(words: number, stringBytes: number): boolean {
    return this._at + BATCH_HEADER_BYTES + 8 * words + paddedSize(stringBytes) <= BODY_BYTES_MAX;
  }

  add(words: Float64Array, strings: Uint8Array): void {
    if (!this._seq && this.isEmpty) this._name(words);
    this._view.setUint32(this._at, words.length, true);
    this._view.setUint32(this._at + 4, strings.length, true);
    this._put(BATCH_HEADER_BYTES);
    this._bytes.set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength), this._at);
    this._put(words.byteLength);
    this._bytes.set(strings, this._at);
    this._bytes.fill(0, this._at + strings.length, this._at + paddedSize(strings.length));
    this._put(paddedSize(strings.length));
  }

  /** A copy of what it holds, and its number. The next batch begins the next body. */
  close(clock: BodyClock, final: boolean): { seq: number; bytes: Uint8Array<ArrayBuffer> } {
    const seq = this._seq++;
    this._view.setUint32(0, 0x56545249);
    this._view.setUint32(4, (Inbox.ABI_VERSION << 24) | (final ? FINAL << 16 : 0));
    this._view.setUint32(8, seq, true);
    this._view.setFloat64(12, clock.monoMs, true);
    this._view.setFloat64(20, clock.wallMs, true);
    const bytes = this._bytes.slice(0, this._at);
    this._at = HEADER_BYTES;
    return { seq, bytes };
  }

  private _put(bytes: number): void {
    this._at += bytes;
  }

  /** After the START that the first batch begins with. */
  private _name(words: Float64Array): void {
    for (let n = 0; n < ID_WORDS; n++) this._view.setUint32(28 + 4 * n, words[InboxStart.VIEW_ID_0 + n]);
  }
}

/** What the collector does with a body: every batch at the time of the body, then a seal. Returns the seal's status. */
export function applyBody(core: Core, clock: BodyClock, body: Uint8Array<ArrayBuffer>): CoreStatus {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const words = new Uint8Array(core.words.buffer, core.words.byteOffset, core.words.byteLength);
  clock.monoMs = view.getFloat64(12, true);
  clock.wallMs = view.getFloat64(20, true);
  for (let at = HEADER_BYTES; at < body.length; ) {
    const count = view.getUint32(at, true);
    const stringBytes = view.getUint32(at + 4, true);
    const stringsAt = at + BATCH_HEADER_BYTES + 8 * count;
    words.set(body.subarray(at + BATCH_HEADER_BYTES, stringsAt));
    core.strings.set(body.subarray(stringsAt, stringsAt + stringBytes));
    core.take(count, stringBytes);
    at = stringsAt + paddedSize(stringBytes);
  }
  return core.seal((body[5] & FINAL) !== 0);
}
