/**
 * Rage clicks: a person clicks again and again on one place. A burst is a run of trusted clicks on one element, each at
 * most a second after the one before and near the first; it is one when three of them came within a second, and is told
 * when it is over. Clicks that select text, as three on a paragraph do, are none.
 */
import { ClickPatternType, InboxKind } from "../abi";
import type { ClickFact } from "../lib/entries";
import { isHidden } from "../lib/hidden";
import { listen } from "../lib/listen";
import { selectorOf } from "../lib/selector";
import type { Context } from "./source";

const WITHIN_MS = 1000;
const NEAR_PX = 50;

interface Burst {
  readonly target: HTMLInputElement;
  readonly x: number;
  readonly y: number;
  readonly start: number;
  count: number;
  isRage: boolean;
  /** Of the last click, and of the one before. */
  last: number;
  before: number;
}

function isSelecting(target: HTMLInputElement): boolean {
  const selection = getSelection();
  return target.selectionStart !== target.selectionEnd || (selection?.type === "Range" && selection.containsNode(target, true));
}

/** `clicks`: those so far. */
export function observeRageClicks(context: Context, clicks: readonly MouseEvent[] = []): void {
  let burst: Burst | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = context.guard.wrap(() => {
    clearTimeout(timer);
    if (burst?.isRage && !isSelecting(burst.target)) {
      const { target, start, last, count } = burst;
      const fact: ClickFact = { time: start, type: ClickPatternType.RAGE, count, target: selectorOf(target), duration: last - start };
      context.sink.push(InboxKind.CLICK_PATTERN, fact);
    }
    burst = undefined;
  });
  const take = ({ isTrusted, target, clientX: x, clientY: y, timeStamp: start }: MouseEvent) => {
    if (!isTrusted || !target) return;
    if (burst?.target !== target || Math.hypot(x - burst!.x, y - burst!.y) > NEAR_PX) end();
    burst ??= { target: target as HTMLInputElement, x, y, start, count: 0, isRage: false, last: -Infinity, before: -Infinity };
    burst.count++;
    burst.isRage ||= start - burst.before <= WITHIN_MS;
    burst.before = burst.last;
    burst.last = start;
    clearTimeout(timer);
    timer = setTimeout(end, WITHIN_MS);
  };
  clicks.forEach(take);
  listen(context, window, "click", take);
  context.drains.push(() => isHidden() && end());
  context.stops.push(() => clearTimeout(timer));
}
