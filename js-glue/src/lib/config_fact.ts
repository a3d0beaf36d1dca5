/** What the application and its visitor allow, as the core is told. */
import { InboxConsent } from "../abi";
import type { ConfigFact } from "../bridge/marshal";
import type { Watch } from "../watch";

export function configFact({ options, isGranted, isAsked }: Pick<Watch, "options" | "isGranted" | "isAsked">): ConfigFact {
  const { sampleRate, flightRecorder = true, budget = {}, queryKeys } = options;
  return {
    sampleRate,
    consent: isGranted ? InboxConsent.GRANTED : InboxConsent.DENIED,
    flightRecorder,
    trigger: isAsked,
    msPerMinute: budget.mainThreadMsPerMinute ?? 100,
    usPerEntry: budget.usPerEntry ?? 250,
    bytes: budget.bytes ?? 2_000_000,
    queryKeys: queryKeys?.join(" "),
  };
}
