/** The same for XMLHttpRequest, by the same rules as fetch. */
import { InboxKind } from "../abi";
import type { CallFact } from "../lib/entries";
import type { Origins } from "../lib/origins";
import { newTraceparent } from "../lib/traceparent";
import type { Context } from "./source";

interface Opened {
  readonly method: string;
  readonly url: URL;
  hasTraceparent: boolean;
}

// Not getResponseHeader: asking for a header that CORS does not expose writes an error to the page's console.
function serverTimingOf(request: XMLHttpRequest): string {
  return /^server-timing:\s*(.*?)\s*$/im.exec(request.getAllResponseHeaders())?.[1] ?? "";
}

export function observeXhr(context: Context, origins: Origins): void {
  const { guard, sink, stops } = context;
  const proto = XMLHttpRequest.prototype;
  const original = { open: proto.open, send: proto.send, setRequestHeader: proto.setRequestHeader };
  const opened = new WeakMap<XMLHttpRequest, Opened>();

  const watch = (request: XMLHttpRequest, { method, url }: Opened, traceparent: string) => {
    const start = performance.now();
    let headers: number | undefined;
    let broken = false;
    const onHeaders = guard.wrap(() => {
      if (headers === undefined && request.readyState >= 2 && request.status) headers = performance.now();
    });
    request.addEventListener("readystatechange", onHeaders);
    request.addEventListener("error", () => (broken = true), { once: true });
    request.addEventListener(
      "loadend",
      guard.wrap(() => {
        request.removeEventListener("readystatechange", onHeaders);
        if (broken && traceparent) origins.block(url.origin);
        const fact: CallFact = {
          url: url.href,
          method,
          start,
          headers,
          end: performance.now(),
          status: request.status,
          redirected: !!request.responseURL && request.responseURL !== url.href.split("#")[0],
          traceparent,
          serverTiming: headers === undefined ? "" : serverTimingOf(request),
          contentLength: 0,
          tag: 0,
        };
        sink.push(InboxKind.CALL, fact);
      }),
      { once: true },
    );
  };

  proto.open = function (this: XMLHttpRequest, method: string, url: string | URL, ...rest: unknown[]) {
    guard.run(() => {
      opened.delete(this);
      const target = new URL(String(url), document.baseURI);
      if (origins.lists(target.origin)) {
        opened.set(this, { method: String(method).toUpperCase(), url: target, hasTraceparent: false });
      }
    });
    return (original.open as (...args: unknown[]) => void).call(this, method, url, ...rest);
  } as typeof proto.open;

  proto.setRequestHeader = function (this: XMLHttpRequest, name: string, value: string) {
    const target = opened.get(this);
    if (target && String(name).toLowerCase() === "traceparent") target.hasTraceparent = true;
    return original.setRequestHeader.call(this, name, value);
  };

  proto.send = function (this: XMLHttpRequest, body?: Document | XMLHttpRequestBodyInit | null) {
    guard.run(() => {
      const target = opened.get(this);
      if (!target) return;
      const traceparent = !target.hasTraceparent && origins.mayInject(target.url.origin) ? newTraceparent() : "";
      if (traceparent) original.setRequestHeader.call(this, "traceparent", traceparent);
      watch(this, target, traceparent);
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
