/**
 * The overhead contract: what is shed, in order, when the SDK has used more main-thread time than it may.
 * A page that lives for hours may use a little more than one that lives for seconds: 0.1 % of the time that has passed.
 */
import { InboxKind } from "../abi";

const SHARE_OF_ELAPSED = 0.001;

/** 0 keep all, 1 no resources, 2 no frames, tasks and marks either, 3 vitals only, 4 off. */
export type Level = 0 | 1 | 2 | 3 | 4;

export function budgetLevel(spentMs: number, elapsedMs: number, budgetMs: number): Level {
  const used = spentMs / (budgetMs + elapsedMs * SHARE_OF_ELAPSED);
  return used < 1 ? 0 : used < 1.5 ? 1 : used < 2 ? 2 : used < 3 ? 3 : 4;
}

/** The first level at which records of this kind are shed; kinds that are not here feed the vitals or the ledger. */
export function budgetSheds(kind: InboxKind, level: Level): boolean {
  switch (kind) {
    case InboxKind.RESOURCE:
      return level >= 1;
    case InboxKind.LONG_FRAME:
    case InboxKind.LONG_TASK:
    case InboxKind.USER_TIMING:
      return level >= 2;
    case InboxKind.CALL:
    case InboxKind.ERROR:
    case InboxKind.CUSTOM_EVENT:
      return level >= 3;
    default:
      return level >= 4;
  }
}
