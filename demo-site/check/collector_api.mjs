// The collector's query API, as far as the checks need it (collector/api/API.md).
export class CollectorApi {
  #base;

  constructor(base) {
    this.#base = base;
  }

  async views(app, sinceUnixMs) {
    const { views } = await this.#get(`/api/v1/views?app=${app}&since=${Math.floor(sinceUnixMs)}&limit=500`);
    return views;
  }

  // undefined when the collector does not know the view.
  view(viewId) {
    return this.#get(`/api/v1/views/${viewId}`, true);
  }

  // undefined when neither spans nor views know the trace.
  trace(traceId) {
    return this.#get(`/api/v1/traces/${traceId}`, true);
  }

  joins(app) {
    return this.#get(`/api/v1/joins?app=${app}`);
  }

  async #get(path, mayBeMissing = false) {
    const response = await fetch(this.#base + path, { signal: AbortSignal.timeout(10_000) });
    if (response.status === 404 && mayBeMissing) return undefined;
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${(await response.text()).slice(0, 200)}`);
    return response.json();
  }
}

// Calls `look` until it says done, at most for `seconds`; the last answer counts either way.
export async function poll(seconds, look) {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const answer = await look();
    if (answer.done || performance.now() > end) return answer;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

// The view of a visit: same address, same start. Both sides know performance.timeOrigin, the collector to the microsecond.
export function viewOfVisit(views, visit) {
  const address = visit.url.split(/[?#]/)[0];
  return views.find((view) => view.url === address && Math.abs(view.started_unix_ms - visit.time_origin) < 1);
}
