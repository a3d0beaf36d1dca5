/**
 * A page that fails fails often. Of each different error a view keeps the first three, and of different ones 64; what is
 * refused is counted, so the numbers of the view still tell how often.
 */
import { InboxKind } from "../abi";
import type { ErrorFact } from "./entries";
import type { Item } from "./queue";

const EACH_MAX = 3;
const DIFFERENT_MAX = 64;
/** 64 keys of so many characters, at most two bytes each: 64 kB. Errors that differ behind them are one. */
const KEY_CHARS_MAX = 512;

export class Repeats {
  private readonly _seen = new Map<string, number>();

  /** In order: a new view starts anew. */
  refuses(item: Item): boolean {
    const kind = item[0];
    if (kind === InboxKind.VIEW) this._seen.clear();
    if (kind !== InboxKind.ERROR) return false;
    const { type, message, stack, source, line, column } = item[1] as ErrorFact;
    const key = [type, message, stack || [source, line, column]].join("\n").slice(0, KEY_CHARS_MAX);
    const count = this._seen.get(key) ?? 0;
    if (count >= EACH_MAX || (!count && this._seen.size >= DIFFERENT_MAX)) return true;
    this._seen.set(key, count + 1);
    return false;
  }
}
