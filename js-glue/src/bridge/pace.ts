/**
 * When to flush and when to seal. Batches of two seconds or 256 entries, in idle time; a first segment soon after load, so
 * that a short visit is known; later ones when they are full (the core decides) or old. While the page waits for a
 * frame after a return from the back/forward cache, `hold` keeps the queue together.
 */
import type { Guard } from "../lib/guard";
import { whenIdle } from "../lib/when_idle";
import type { Bridge } from "./bridge";

const BATCH_MS = 2000;
/** About 3 ms of work on a slow machine: more than that waits for the next idle period. */
const BATCH_ITEMS = 256;
/** The first batches also compile what they run through: only the start and what is allowed, then some, then the rest. */
const FIRST_ITEMS = 2;
const SLICE_GROWTH = 8;
const IDLE_TIMEOUT_MS = 1000;
const HELD_MS = 100;
const FIRST_SEAL_MS = 2000;

type Timer = ReturnType<typeof setTimeout> | undefined;

export interface Pace {
  /** The core has started: from now on there is something to do. */
  start(): void;
  hold(): void;
  release(): void;
  stop(): void;
}

export function pace(guard: Guard, bridge: Bridge, sealAgeMs: number, onSealed: () => void): Pace {
  const { queue } = bridge;
  let batchTimer: Timer;
  let sealTimer: Timer;
  let slice = FIRST_ITEMS;
  let isIdleAsked = false;
  let isFirst = true;
  let isHeld = false;

  /** Everything that waits, now. */
  const flush = () => {
    isIdleAsked = false;
    if (isHeld) return;
    if (bridge.flush(slice)) onSealed();
    slice = Math.min(slice * SLICE_GROWTH, BATCH_ITEMS);
    if (bridge.queued) askIdle();
    const age = bridge.openAge();
    if (!isFirst && !sealTimer && age > 0) armSeal(Math.max(sealAgeMs - age, 0));
  };
  const askIdle = () => {
    batchTimer = undefined;
    if (isIdleAsked) return;
    isIdleAsked = true;
    whenIdle(guard.wrap(flush), IDLE_TIMEOUT_MS);
  };
  const armSeal = (delayMs: number) => {
    sealTimer = setTimeout(
      guard.wrap(() => {
        if (isHeld) return armSeal(HELD_MS);
        const flushed = bridge.flush();
        const sealed = bridge.seal(false);
        sealTimer = undefined;
        isFirst = false;
        if (flushed || sealed) onSealed();
      }),
      delayMs,
    );
  };
  return {
    start() {
      queue.onPush = () => {
        if (queue.items.length >= BATCH_ITEMS) askIdle();
        else batchTimer ??= setTimeout(askIdle, BATCH_MS);
      };
      askIdle();
      armSeal(FIRST_SEAL_MS);
    },
    hold: () => void (isHeld = true),
    release() {
      isHeld = false;
      // What was held belongs together.
      slice = BATCH_ITEMS;
      flush();
    },
    stop() {
      clearTimeout(batchTimer);
      clearTimeout(sealTimer);
      queue.onPush = () => {};
    },
  };
}
