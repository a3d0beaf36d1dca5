/** What `stats()` shows: the core's ledger, the ring's counters and the bridge's own. */
import { CoreStats, LossReason } from "../abi";
import type { Running } from "../engine/second";
import type { Transport } from "../transport/transport";
import type { Stats } from "../types";
import type { Guard } from "./guard";

/** In the order of the core's counters; of two of them only the core itself has a use. */
const COUNT_NAMES = ["entriesSeen", "entriesEncoded", "", "bytesEncoded", "segmentsSealed", "", "segmentsDropped", "budgetLevel"] as const;

/** In the order of LossReason, and of the core's counters. */
const LOSS_NAMES =
  "ring_full bad_entry too_large queue_full browser_dropped budget consent sampled_out dictionary_full send_failed page_left offline_full".split(" ");
const VITAL_NAMES = ["lcp", "inp", "cls", "fcp", "ttfb"] as const;

/** `core` is undefined before it has started; `waiting` are losses that the next batch will tell it. */
export function lostByReason(core: Float64Array | undefined, waiting: ReadonlyMap<LossReason, number>): Record<string, number> {
  const lost: Record<string, number> = {};
  LOSS_NAMES.forEach((name, at) => {
    const count = (core?.[CoreStats.LOST_RING_FULL + at] ?? 0) + (waiting.get(LossReason.RING_FULL + at) ?? 0);
    if (count > 0) lost[name] = count;
  });
  return lost;
}

export function vitalsOf(core: Float64Array | undefined): Stats["vitals"] {
  const vitals: Stats["vitals"] = {};
  VITAL_NAMES.forEach((name, at) => {
    const value = core?.[CoreStats.LCP + at];
    // Not a number: the vital has no value.
    if (value !== undefined && value === value) vitals[name] = value;
  });
  return vitals;
}

/** Without what the first half knows as well. */
export function statsOf(guard: Guard, waiting: ReadonlyMap<LossReason, number>, running: Running | undefined, transport: Transport | undefined): Partial<Stats> {
  const core = guard.off ? undefined : running?.core.stats();
  const { sent = 0, abandoned = 0, retries = 0 } = running?.counts() ?? {};
  const counts: Partial<Record<(typeof COUNT_NAMES)[number], number>> = {};
  COUNT_NAMES.forEach((name, at) => name && (counts[name] = core?.[at] ?? 0));
  return {
    ...counts,
    transport: transport?.name ?? "",
    mainThreadMs: guard.spentMs,
    swallowed: guard.swallowed,
    segmentsSent: sent,
    segmentsAbandoned: abandoned,
    retries,
    lost: lostByReason(core, waiting),
    vitals: vitalsOf(core),
  };
}
