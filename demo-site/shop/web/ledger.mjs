// What this service itself recorded about the requests it served: the truth that the check compares the joins with. It
// is taken from the server span of the OpenTelemetry SDK and from nothing that a browser sent except the headers shown.
const ENTRIES_MAX = 20_000;

export class Ledger {
  #entries = [];
  #seq = 0;
  #forgotten = 0;

  // Returns the function that completes the entry once the answer is known.
  open({ request, listener, path, route, span }) {
    const { traceId, spanId } = span.spanContext();
    const started = performance.now();
    const entry = {
      seq: this.#seq++, listener, method: request.method, path, route, trace_id: traceId, span_id: spanId,
      parent_span_id: span.parentSpanContext?.spanId ?? "", destination: request.headers["sec-fetch-dest"] ?? "",
      referer: request.headers.referer ?? "", status: 0, started_unix_ms: Date.now(), duration: 0,
    };
    this.#entries.push(entry);
    if (this.#entries.length > ENTRIES_MAX) {
      this.#entries.shift();
      this.#forgotten++;
    }
    return (status) => {
      entry.status = status;
      entry.duration = performance.now() - started;
    };
  }

  read(sinceSeq) {
    return { forgotten: this.#forgotten, entries: this.#entries.filter((entry) => entry.seq >= sinceSeq) };
  }
}
