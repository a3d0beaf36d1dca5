// One request being answered, and the headers that every answer of the shop carries. The important one is Server-Timing:
// it names the server span of this very request, which is how a browser learns the trace of something it did not start,
// such as the document itself or an image.
const ISOLATION = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

export class Exchange {
  sqlMs = 0;
  #started = performance.now();
  #closeEntry;

  constructor({ request, response, url, params, span, isolated, closeEntry }) {
    Object.assign(this, { request, response, url, params, span, isolated });
    this.#closeEntry = closeEntry;
    this.cookies = readCookies(request.headers.cookie);
  }

  get traceparent() {
    const { traceId, spanId, traceFlags } = this.span.spanContext();
    return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
  }

  reply(status, headers, body = "") {
    this.#closeEntry(status);
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body);
    const bodyless = status === 204 || status === 304;
    this.response.writeHead(status, {
      ...(this.isolated ? ISOLATION : {}),
      "Cross-Origin-Resource-Policy": "same-origin",
      "X-Content-Type-Options": "nosniff",
      "Cache-Control": "no-store",
      ...(bodyless ? {} : { "Content-Length": bytes.length }),
      ...headers,
      "Server-Timing": this.#serverTiming(),
    });
    this.response.end(this.request.method === "HEAD" || bodyless ? undefined : bytes);
  }

  replyHtml(status, html, headers = {}) {
    this.reply(status, { "Content-Type": "text/html; charset=utf-8", ...headers }, html);
  }

  replyJson(status, value, headers = {}) {
    this.reply(status, { "Content-Type": "application/json", ...headers }, JSON.stringify(value));
  }

  #serverTiming() {
    const appMs = performance.now() - this.#started - this.sqlMs;
    const parts = [`traceparent;desc="${this.traceparent}"`, `app;dur=${Math.max(appMs, 0).toFixed(1)}`];
    if (this.sqlMs > 0) parts.push(`db;dur=${this.sqlMs.toFixed(1)};desc="SQLite"`);
    return parts.join(", ");
  }
}

function readCookies(header = "") {
  return Object.fromEntries(header.split(";").map((pair) => pair.trim().split("=")).filter((pair) => pair.length === 2));
}
