/**
 * What an answer means and how long to wait. A beacon is tried 5 times over about 2 minutes, then given up and counted:
 * it waits in the ring meanwhile, and the ring is what bounds how much of an outage is bridged.
 */
export const ATTEMPTS_MAX = 5;
const BASE_MS = 3000;
const FACTOR = 3;
/** A server may ask for more patience, but the ring cannot wait for hours. */
const DELAY_MS_MAX = 120_000;

export const enum Verdict {
  /** 204: the beacon is on disk. */
  ACKED,
  /** The beacon is bad, or not wanted here: sending it again cannot help. */
  REFUSED,
  RETRY,
}

/** `status` 0: no answer. */
export function verdictOf(status: number): Verdict {
  if (status >= 200 && status < 300) return Verdict.ACKED;
  if (status === 0 || status === 408 || status === 429 || status >= 500) return Verdict.RETRY;
  return Verdict.REFUSED;
}

/** Seconds or an HTTP date, in milliseconds from now; 0 when absent or unreadable. */
export function retryAfterMs(header: string | null, nowMs: number): number {
  if (!header) return 0;
  // Date.parse alone reads almost anything as some date.
  const ms = /^\s*\d+\s*$/.test(header) ? +header * 1000 : /GMT\s*$/.test(header) ? Date.parse(header) - nowMs : 0;
  return ms > 0 ? ms : 0;
}

/**
 * Milliseconds before the next attempt, after `attempt` of them failed; -1 to give up. Jitter takes up to half away, so
 * that pages which failed together do not come back together; what the server asked for is never undercut.
 */
export function retryDelayMs(attempt: number, askedMs: number, random: () => number): number {
  if (attempt >= ATTEMPTS_MAX) return -1;
  const backoff = BASE_MS * FACTOR ** (attempt - 1) * (1 - random() / 2);
  return Math.min(Math.max(backoff, askedMs), DELAY_MS_MAX);
}
