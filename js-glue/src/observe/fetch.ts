/**
 * Opt-in tracing of calls: puts a new `traceparent` on fetch calls to allow-listed origins and reports how they went.
 *
 * The header can break a call (a preflight that the server refuses), so: only modes that may carry it, never over one
 * that is already there, and not again for an origin whose call failed below HTTP. Calls to other origins pass through
 * untouched and unreported; their timing is in the resource entries.
 */
import { InboxKind } from "../abi";
import type { CallFact } from "../lib/entries";
import type { Origins } from "../lib/origins";
import { newTraceparent } from "../lib/traceparent";
import type { Context } from "./source";

interface Call {
  readonly url: URL;
  readonly method: string;
  readonly traceparent: string;
  readonly start: number;
}

export function observeFetch(context: Context, origins: Origins): void {
  const original = window.fetch;
  const { guard, sink, stops } = context;
  const push = (call: Call, response?: Response) => sink.push(InboxKind.CALL, callFact(call, response));

  function traced(this: unknown, input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    let call: Call | undefined;
    let args: [RequestInfo | URL, RequestInit?] = [input, init];
    guard.run(() => {
      const planned = planFetch(input, init, origins);
      if (!planned) return;
      call = planned.call;
      args = planned.args;
    });
    const answer = original.apply(this as Window, args);
    if (!call) return answer;
    const made = call;
    // The derived promise goes to the page: a handler on `answer` itself would hide its unhandled rejections.
    return answer.then(
      (response) => {
        guard.run(() => push(made, response));
        return response;
      },
      (error) => {
        guard.run(() => {
          if (made.traceparent && error?.name !== "AbortError") origins.block(made.url.origin);
          push(made);
        });
        throw error;
      },
    );
  }
  window.fetch = traced;
  stops.push(() => {
    // Somebody may have wrapped us meanwhile; then ours stays in the chain and only passes calls on.
    if (window.fetch === traced) window.fetch = original;
  });
}

/** What to call instead, or undefined when the call is none of our business. Exported for its tests. */
export function planFetch(
  input: RequestInfo | URL,
  init: RequestInit | undefined,
  origins: Origins,
): { call: Call; args: [RequestInfo | URL, RequestInit?] } | undefined {
  const request = typeof Request === "function" && input instanceof Request ? input : undefined;
  const url = new URL(request ? request.url : String(input), document.baseURI);
  if (!origins.lists(url.origin)) return undefined;
  const method = (init?.method ?? request?.method ?? "GET").toUpperCase();
  const mode = init?.mode ?? request?.mode ?? "cors";
  const headers = new Headers(init?.headers ?? request?.headers);
  const injects = origins.mayInject(url.origin) && (mode === "cors" || mode === "same-origin") && !headers.has("traceparent");
  const traceparent = injects ? newTraceparent() : "";
  const call = { url, method, traceparent, start: performance.now() };
  if (!injects) return { call, args: [input, init] };
  headers.set("traceparent", traceparent);
  // An init, even one with headers only, resets the referrer of a Request: keep what the page chose.
  const kept = request && !init ? { referrer: request.referrer, referrerPolicy: request.referrerPolicy } : {};
  return { call, args: [input, { ...init, ...kept, headers }] };
}

/** `response` is undefined when there was none. The end of its body is not ours to watch: that would change the request. */
function callFact({ url, method, start, traceparent }: Call, response?: Response): CallFact {
  const now = performance.now();
  return {
    url: url.href,
    method,
    start,
    headers: response && now,
    end: response ? undefined : now,
    status: response?.status ?? 0,
    redirected: !!response?.redirected,
    traceparent,
    serverTiming: response?.headers.get("server-timing") ?? "",
    contentLength: +(response?.headers.get("content-length") ?? 0) || 0,
    tag: 0,
  };
}
