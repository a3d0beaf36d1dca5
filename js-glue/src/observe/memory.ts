/**
 * What the page weighs, where the browser tells: only pages that are cross-origin isolated may ask. The browser answers
 * at its next garbage collection, which it may bring about itself: so it is asked rarely, and never by a page that nobody
 * looks at.
 */
import { InboxKind } from "../abi";
import { isHidden } from "../lib/hidden";
import { whenIdle } from "../lib/when_idle";
import type { Context } from "./source";

const EVERY_MS = 300_000;
const IDLE_TIMEOUT_MS = 5000;

interface Measurement {
  readonly bytes: number;
  readonly breakdown: readonly { readonly bytes: number; readonly types: readonly string[] }[];
}

type Measuring = Performance & { measureUserAgentSpecificMemory?(): Promise<Measurement> };

export function observeMemory({ guard, sink, stops }: Context): void {
  if (!globalThis.crossOriginIsolated || !(performance as Measuring).measureUserAgentSpecificMemory) return;
  const take = guard.wrap(({ bytes, breakdown }: Measurement) => {
    const of = (type: string) => breakdown.reduce((sum, part) => sum + (part.types.includes(type) ? part.bytes : 0), 0);
    sink.push(InboxKind.MEMORY_MEASUREMENT, { time: performance.now(), bytes, jsBytes: of("JavaScript"), domBytes: of("DOM") });
  });
  const measure = guard.wrap(() => {
    // Refused by a policy of the page, or the document is gone: then there is no measurement, and nothing was lost.
    if (!isHidden()) (performance as Measuring).measureUserAgentSpecificMemory!().then(take, () => {});
  });
  whenIdle(measure, IDLE_TIMEOUT_MS);
  const timer = setInterval(measure, EVERY_MS);
  stops.push(() => clearInterval(timer));
}
