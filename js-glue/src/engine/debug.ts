/** vitrace-debug.js, for whoever asks what is sent: it gives how to explain it. */
import { part } from "./part";
import type { Second } from "./second";

declare const VITRACE_DEBUG_SRI: string;

/** Once. */
export function loadDebug(self: Second): NonNullable<Second["_explain"]> {
  return (self._explain ??= part(self._watch, "debug", VITRACE_DEBUG_SRI));
}
