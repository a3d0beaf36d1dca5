/** What `stats()` shows: the core's ledger, the ring's counters and the bridge's own. */
import { CoreStats, LossReason } from "../abi";
import type { Stats } from "../types";

const LOSS_NAMES: readonly (readonly [string, CoreStats, LossReason])[] = [
  ["ring_full", CoreStats.LOST_RING_FULL, LossReason.RING_FULL],
  ["bad_entry", CoreStats.LOST_BAD_ENTRY, LossReason.BAD_ENTRY],
  ["too_large", CoreStats.LOST_TOO_LARGE, LossReason.TOO_LARGE],
  ["queue_full", CoreStats.LOST_QUEUE_FULL, LossReason.QUEUE_FULL],
  ["browser_dropped", CoreStats.LOST_BROWSER_DROPPED, LossReason.BROWSER_DROPPED],
  ["budget", CoreStats.LOST_BUDGET, LossReason.BUDGET],
  ["consent", CoreStats.LOST_CONSENT, LossReason.CONSENT],
  ["sampled_out", CoreStats.LOST_SAMPLED_OUT, LossReason.SAMPLED_OUT],
  ["dictionary_full", CoreStats.LOST_DICTIONARY_FULL, LossReason.DICTIONARY_FULL],
  ["send_failed", CoreStats.LOST_SEND_FAILED, LossReason.SEND_FAILED],
];

const VITAL_NAMES = [
  ["lcp", CoreStats.LCP],
  ["inp", CoreStats.INP],
  ["cls", CoreStats.CLS],
  ["fcp", CoreStats.FCP],
  ["ttfb", CoreStats.TTFB],
] as const;

/** `core` is undefined before it has started; `waiting` are losses that the next batch will tell it. */
export function lostByReason(core: Float64Array | undefined, waiting: ReadonlyMap<LossReason, number>): Record<string, number> {
  const lost: Record<string, number> = {};
  for (const [name, field, reason] of LOSS_NAMES) {
    const count = (core?.[field] ?? 0) + (waiting.get(reason) ?? 0);
    if (count > 0) lost[name] = count;
  }
  return lost;
}

export function vitalsOf(core: Float64Array | undefined): Stats["vitals"] {
  const vitals: Stats["vitals"] = {};
  for (const [name, field] of VITAL_NAMES) {
    const value = core?.[field];
    if (value !== undefined && value === value) vitals[name] = value;
  }
  return vitals;
}
