/**
 * Opt-in tracing of calls: puts a new `traceparent` on fetch calls to allow-listed origins and reports how they went.
 *
 * Only modes that may carry the header get it, see lib/injection.ts for the rest. Calls to other origins pass through
 * untouched and unreported; their timing is in the resource entries.
 */
import { InboxKind } from "../abi";
import { tagged, type CallTags } from "../lib/call_tags";
import type { CallFact } from "../lib/entries";
import type { Injected, Injection } from "../lib/injection";
import type { Context } from "./source";

type Args = [RequestInfo | URL, RequestInit?];

interface Call {
  readonly url: URL;
  readonly method: string;
  readonly injected: Injected;
  readonly tag: number;
  readonly signal: AbortSignal | null | undefined;
  readonly start: number;
  readonly args: Args;
}

export function observeFetch({ guard, sink, stops }: Context, injection: Injection, tags: CallTags): void {
  const original = window.fetch;

  const settled = (call: Call, response?: Response, error?: { readonly name?: string }) => {
    const aborted = !response && (!!call.signal?.aborted || error?.name === "AbortError");
    const { url, injected, tag } = call;
    tags.end(url);
    if (!response && !aborted) {
      injection.failed(url, injected);
      if (tag) tags.failed(url);
    } else if (response?.redirected && injected.traceparent) injection.redirected(url, response.url);
    sink.push(InboxKind.CALL, callFact(call, aborted, response));
  };

  function traced(this: unknown, input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    let planned: Call | undefined;
    guard.run(() => {
      planned = planFetch(input, init, injection, tags);
      if (planned) tags.begin(planned.url);
    });
    const call = planned;
    const answer = original.apply(this as Window, call ? call.args : [input, init]);
    if (!call) return answer;
    // The derived promise goes to the page: a handler on `answer` itself would hide its unhandled rejections.
    return answer.then(
      (response) => {
        guard.run(() => settled(call, response));
        return response;
      },
      (error) => {
        guard.run(() => settled(call, undefined, error));
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

/** What to call instead, or undefined when the call is none of our business. */
function planFetch(input: RequestInfo | URL, init: RequestInit | undefined, injection: Injection, tags: CallTags): Call | undefined {
  const request = typeof Request === "function" && input instanceof Request ? input : undefined;
  const url = new URL(request ? request.url : String(input), document.baseURI);
  if (!injection.origins.lists(url)) return undefined;
  const method = (init?.method ?? request?.method ?? "GET").toUpperCase();
  const headers = new Headers(init?.headers ?? request?.headers);
  const isPreloaded = injection.consumesPreload(url, method);
  const mayCarry = /^(cors|same-origin)$/.test(init?.mode ?? request?.mode ?? "cors");
  const injected = injection.plan(url, isPreloaded || !mayCarry, (name) => headers.has(name));
  // A Request with a body cannot be made anew under another URL everywhere.
  const tag = request || isPreloaded ? 0 : tags.choose(url);
  const target = tag ? tagged(url, tag) : input;
  for (const [name, value] of injected.headers) headers.set(name, value);
  // An init, even one with headers only, resets the referrer of a Request: keep what the page chose.
  const kept = request && !init ? { referrer: request.referrer, referrerPolicy: request.referrerPolicy } : {};
  const args: Args = [target, injected.traceparent ? { ...init, ...kept, headers } : init];
  return { url, method, injected, tag, signal: init?.signal ?? request?.signal, start: performance.now(), args };
}

/** `response` is undefined when there was none. The end of a body is not ours to watch: that would change the request. */
function callFact({ url, method, start, injected, tag }: Call, aborted: boolean, response?: Response): CallFact {
  const now = performance.now();
  const hasBody = response && method !== "HEAD" && !/^(204|205|304)$/.test(response.status + "");
  const header = (name: string) => response?.headers.get(name) ?? "";
  return {
    url: url.href,
    method,
    start,
    headers: response && now,
    end: hasBody ? undefined : now,
    status: response?.status ?? 0,
    redirected: !!response?.redirected,
    traceparent: injected.traceparent,
    serverTiming: header("server-timing"),
    contentLength: (hasBody && +header("content-length")) || 0,
    tag,
    aborted,
  };
}
