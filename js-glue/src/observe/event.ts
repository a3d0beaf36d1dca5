/**
 * Event timings. All events of one frame must be known before an interaction is judged, so the core evaluates them only
 * when it is told that the page is idle or hidden, like web-vitals does.
 */
import { InboxKind } from "../abi";
import type { EventEntry } from "../lib/entries";
import type { IdleMark } from "../lib/idle_mark";
import { InteractionCount } from "../lib/interaction_count";
import { isSupported, observe } from "../lib/observe";
import { selectorOf } from "../lib/selector";
import type { Context, Source } from "./source";

// Durations are rounded to 8 ms and the floor is 16: this is web-vitals' default, a frame and a half above noise.
const DURATION_THRESHOLD_MS = 40;

export function isInteractionSupported(): boolean {
  return isSupported("event") && "interactionId" in PerformanceEventTiming.prototype;
}

export function observeEvent(context: Context, idle: IdleMark): Source | undefined {
  if (!isInteractionSupported()) return undefined;
  const { sink } = context;
  const count = new InteractionCount();
  idle.before = () => {
    if (count.value > 0) sink.push(InboxKind.INTERACTION_COUNT, count.value);
  };
  const take = (entries: EventEntry[]) => {
    for (const entry of entries) {
      // The element may be gone by the time the batch is written; only interactions are ever blamed on one.
      const target = entry.interactionId ? selectorOf(entry.target) || entry.targetSelector : "";
      sink.push(InboxKind.EVENT, entry, target);
    }
    if (entries.length) idle.ask();
  };
  const sources = [
    observe<EventEntry>(context, "event", take, { durationThreshold: DURATION_THRESHOLD_MS }),
    observe<EventEntry>(context, "first-input", take),
  ];
  if (!InteractionCount.isNative()) {
    // The estimate must see every interaction, also those too short to be reported, and before they are settled.
    const see = (entries: EventEntry[]) => entries.forEach((entry) => count.see(entry.interactionId));
    sources.unshift(observe<EventEntry>(context, "event", see, { durationThreshold: 0 }));
  }
  return {
    drain: () => sources.forEach((source) => source?.drain()),
    stop: () => sources.forEach((source) => source?.stop()),
  };
}
