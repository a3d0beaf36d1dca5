/** What the application and its visitor allow, as the core is told. */
import { InboxConsent } from "../abi";
import type { ConfigFact } from "../bridge/marshal";
import type { Watch } from "../watch";

/** Infinity is none. */
function limit(given: number | undefined, otherwise: number): number | undefined {
  return given === Infinity ? undefined : given ?? otherwise;
}

export function configFact({ options, isGranted, isAsked }: Pick<Watch, "options" | "isGranted" | "isAsked">): ConfigFact {
  const { sampleRate, flightRecorder = true, budget = {}, queryKeys } = options;
  return {
    sampleRate,
    consent: isGranted ? InboxConsent.GRANTED : InboxConsent.DENIED,
    flightRecorder,
    trigger: isAsked,
    msPerMinute: limit(budget.mainThreadMsPerMinute, 200),
    usPerEntry: limit(budget.usPerEntry, 250),
    bytes: limit(budget.bytes, 2_000_000),
    queryKeys: queryKeys?.join(" "),
  };
}
