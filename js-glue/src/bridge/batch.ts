/**
 * One batch under construction, straight in the core's inbox: numbers are stored where the core reads them, strings
 * are kept as they are and encoded together when the batch is complete.
 *
 * Words that no record holds are 0, so that a writer may leave out what is 0.
 *
 * A record is written without asking for room; stores past the end of a typed array do nothing. `commit` then keeps it,
 * or takes it back when it did not fit, so no writer has to know its own size in advance.
 */
import { Inbox } from "../abi";

/** The core cuts strings at 1,024 bytes anyway. URLs may be longer: their query is dropped there first. */
const TEXT_CHARS_MAX = 1024;
const URL_CHARS_MAX = 4096;
// UTF-8 needs at most 3 bytes for a UTF-16 unit. Counting the worst case splits a rare batch early and never fails.
const UTF8_PER_CHAR = 3;

export class Batch {
  /** Where the next record goes. Writers move it by the size of what they wrote. */
  at = 0;
  private _kept = 0;
  private _keptStrings = 0;
  private _keptChars = 0;
  private _chars = 0;
  private _strings: string[] = [];
  // encodeInto refuses shared views, so the bytes take one extra copy.
  private readonly _scratch = new Uint8Array(Inbox.STRING_BYTES);
  private readonly _encoder = new TextEncoder();

  constructor(
    readonly words: Float64Array,
    private readonly _bytesMax: number = Inbox.STRING_BYTES,
    private readonly _isRaw = false,
  ) {}

  get isEmpty(): boolean {
    return this._kept === 0;
  }

  /** The 1-based index of a string in this batch; 0 for none. */
  text(value: string | null | undefined, max = TEXT_CHARS_MAX): number {
    if (!value) return 0;
    let text = value.length > max ? value.slice(0, max) : value;
    // NUL separates the strings of a batch.
    if (text.indexOf("\0") >= 0) text = text.replace(/\0/g, "\ufffd");
    this._chars += text.length + 1;
    return this._strings.push(text);
  }

  url(value: string | null | undefined): number {
    // The core drops queries and fragments. One that is not here must not even see them.
    return this.text(this._isRaw ? value?.replace(/[?#].*/s, "") : value, URL_CHARS_MAX);
  }

  /** Keeps the record written since the last commit. False: it did not fit and is gone. */
  commit(): boolean {
    const fits =
      this.at <= this.words.length &&
      this._strings.length <= Inbox.STRINGS_MAX &&
      this._chars * UTF8_PER_CHAR <= this._bytesMax;
    if (!fits) {
      this.rollback();
      return false;
    }
    this._kept = this.at;
    this._keptStrings = this._strings.length;
    this._keptChars = this._chars;
    return true;
  }

  rollback(): void {
    this.words.fill(0, this._kept, this.at);
    this.at = this._kept;
    this._strings.length = this._keptStrings;
    this._chars = this._keptChars;
  }

  /** Encodes the strings to where the core reads them. Returns how many bytes they are. */
  encodeStrings(target: Uint8Array): number {
    if (!this._strings.length) return 0;
    const { written } = this._encoder.encodeInto(this._strings.join("\0"), this._scratch);
    target.set(this._scratch.subarray(0, written));
    return written;
  }

  reset(): void {
    this.words.fill(0, 0, this._kept);
    this.at = this._kept = 0;
    this._strings = [];
    this._chars = this._keptStrings = this._keptChars = 0;
  }
}
