import { ErrorOrigin, InboxKind, LossReason } from "../abi";
import type { ErrorFact } from "../lib/entries";
import { listen } from "../lib/listen";
import type { Context, Source } from "./source";

// A page that fails in a loop must not spend our budget: after this many the rest is only counted.
const ERRORS_MAX = 100;

export function errorFact(thrown: unknown, origin: ErrorOrigin, at?: Partial<ErrorFact>): ErrorFact {
  const error = thrown instanceof Error ? thrown : undefined;
  return {
    time: performance.now(),
    type: error?.name || (thrown as object | undefined)?.constructor?.name || typeof thrown,
    message: error ? error.message : String(thrown),
    stack: typeof error?.stack === "string" ? error.stack : "",
    source: "",
    line: 0,
    column: 0,
    ...at,
    origin,
  };
}

export interface ErrorSource extends Source {
  report(error: unknown): void;
}

export function observeError(context: Context): ErrorSource {
  let seen = 0;
  const push = (fact: ErrorFact) => {
    if (++seen > ERRORS_MAX) context.sink.lose(LossReason.BUDGET, 1);
    else context.sink.push(InboxKind.ERROR, fact);
  };
  const unlisten = [
    listen<ErrorEvent>(context, window, "error", (event) => {
      // Failed <img> and <script> loads pass here too when captured; they are no ErrorEvent, and resources tell of them.
      if (event.target !== window) return;
      const at = { time: event.timeStamp, source: event.filename, line: event.lineno, column: event.colno };
      push(errorFact(event.error ?? event.message, ErrorOrigin.WINDOW, event.error ? at : { ...at, type: "Error" }));
    }),
    listen<PromiseRejectionEvent>(context, window, "unhandledrejection", (event) => {
      push(errorFact(event.reason, ErrorOrigin.UNHANDLED_REJECTION, { time: event.timeStamp }));
    }),
  ];
  return {
    report: (error) => push(errorFact(error, ErrorOrigin.API)),
    drain: () => {},
    stop: () => unlisten.forEach((off) => off()),
  };
}
