/** The same for XMLHttpRequest, by the same rules as fetch. */
import { InboxKind } from "../abi";
import { tagged, type CallTags } from "../lib/call_tags";
import type { CallFact } from "../lib/entries";
import type { Injected, Injection } from "../lib/injection";
import type { Context } from "./source";

interface Opened {
  readonly method: string;
  readonly url: URL;
  readonly isPreloaded: boolean;
  readonly tag: number;
  /** Names in lower case. */
  readonly headers: Set<string>;
}

// Not getResponseHeader: asking for a header that CORS does not expose writes an error to the page's console.
function headerOf(text: string, name: string): string {
  return new RegExp(`^${name}:\\s*(.*?)\\s*$`, "im").exec(text)?.[1] ?? "";
}

export function observeXhr({ guard, sink, stops }: Context, injection: Injection, tags: CallTags): void {
  const proto = XMLHttpRequest.prototype;
  const original = { open: proto.open, send: proto.send, setRequestHeader: proto.setRequestHeader };
  const opened = new WeakMap<XMLHttpRequest, Opened>();

  const watch = (request: XMLHttpRequest, { method, url, tag }: Opened, injected: Injected) => {
    const start = performance.now();
    let headers: number | undefined;
    let end = "";
    const onHeaders = guard.wrap(() => {
      if (headers === undefined && request.readyState >= 2 && request.status) headers = performance.now();
    });
    const once = { once: true };
    const onEnd = (event: Event) => (end = event.type);
    request.addEventListener("readystatechange", onHeaders);
    for (const type of ["error", "abort", "timeout"]) request.addEventListener(type, onEnd, once);
    request.addEventListener(
      "loadend",
      guard.wrap(() => {
        request.removeEventListener("readystatechange", onHeaders);
        const { responseURL, status } = request;
        const redirected = !!responseURL && responseURL !== url.href.split("#")[0];
        const answer = headers === undefined ? "" : request.getAllResponseHeaders();
        tags.end(url);
        if (end === "error") {
          injection.failed(url, injected);
          if (tag) tags.failed(url);
        } else if (redirected && injected.traceparent) injection.redirected(url, responseURL);
        const fact: CallFact = {
          url: url.href,
          method,
          start,
          headers,
          end: performance.now(),
          status,
          redirected,
          traceparent: injected.traceparent,
          serverTiming: headerOf(answer, "server-timing"),
          contentLength: (method !== "HEAD" && +headerOf(answer, "content-length")) || 0,
          tag,
          aborted: /^(abort|timeout)$/.test(end),
        };
        sink.push(InboxKind.CALL, fact);
      }),
      once,
    );
  };

  proto.open = function (this: XMLHttpRequest, method: string, url: string | URL, ...rest: unknown[]) {
    let target = url;
    guard.run(() => {
      opened.delete(this);
      const absolute = new URL(String(url), document.baseURI);
      if (!injection.origins.lists(absolute)) return;
      const name = String(method).toUpperCase();
      const isPreloaded = injection.consumesPreload(absolute, name);
      const tag = isPreloaded ? 0 : tags.choose(absolute);
      if (tag) target = tagged(absolute, tag);
      opened.set(this, { method: name, url: absolute, isPreloaded, tag, headers: new Set() });
    });
    return (original.open as (...args: unknown[]) => void).call(this, method, target, ...rest);
  } as typeof proto.open;

  proto.setRequestHeader = function (this: XMLHttpRequest, name: string, value: string) {
    opened.get(this)?.headers.add(String(name).toLowerCase());
    return original.setRequestHeader.call(this, name, value);
  };

  proto.send = function (this: XMLHttpRequest, body?: Document | XMLHttpRequestBodyInit | null) {
    guard.run(() => {
      const target = opened.get(this);
      if (!target) return;
      const injected = injection.plan(target.url, target.isPreloaded, (name) => target.headers.has(name));
      for (const [name, value] of injected.headers) original.setRequestHeader.call(this, name, value);
      tags.begin(target.url);
      watch(this, target, injected);
    });
    return original.send.call(this, body);
  };
  const wrapped = { open: proto.open, send: proto.send, setRequestHeader: proto.setRequestHeader };

  stops.push(() => {
    for (const name of ["open", "send", "setRequestHeader"] as const) {
      if (proto[name] === wrapped[name]) (proto as unknown as Record<string, unknown>)[name] = original[name];
    }
  });
}
