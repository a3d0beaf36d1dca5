import { ErrorOrigin, InboxKind, LossReason } from "../abi";
import type { ErrorFact } from "../lib/entries";
import { listen } from "../lib/listen";
import type { Context } from "./source";

// A page that fails in a loop must not spend our budget: after this many, also of the same (lib/repeats.ts), the rest is
// only counted.
const ERRORS_MAX = 500;

/** Returns how the application reports one. */
export function observeError(context: Context): (error: unknown) => void {
  const { sink } = context;
  let seen = 0;
  const push = (thrown: unknown, origin: ErrorOrigin, at?: Partial<ErrorFact>) => {
    if (++seen > ERRORS_MAX) return sink.lose(LossReason.BUDGET, 1);
    const error = thrown instanceof Error ? thrown : undefined;
    const fact: ErrorFact = {
      time: performance.now(),
      type: error?.name || (thrown as object | undefined)?.constructor?.name || typeof thrown,
      message: error ? error.message : String(thrown),
      stack: error?.stack,
      source: "",
      line: 0,
      column: 0,
      ...at,
      origin,
    };
    sink.push(InboxKind.ERROR, fact);
  };
  listen<ErrorEvent>(context, window, "error", ({ target, error, message, timeStamp, filename, lineno, colno }) => {
    // Failed <img> and <script> loads pass here too when captured; they are no ErrorEvent, and resources tell of them.
    if (target !== window) return;
    const at = { time: timeStamp, source: filename, line: lineno, column: colno };
    push(error ?? message, ErrorOrigin.WINDOW, error ? at : { ...at, type: "Error" });
  });
  listen<PromiseRejectionEvent>(context, window, "unhandledrejection", (event) => {
    push(event.reason, ErrorOrigin.UNHANDLED_REJECTION, { time: event.timeStamp });
  });
  return (error) => push(error, ErrorOrigin.API);
}
