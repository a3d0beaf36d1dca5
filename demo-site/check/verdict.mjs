// The comparisons, without any browser or network: what the shop's backend recorded, what web-vitals measured, and what
// the collector answered. Every function returns a list of sentences, empty when all is well.
const EXACT = new Set(["exact_parent", "exact_trace"]);
const VITALS = ["lcp", "inp", "cls", "fcp", "ttfb"];

const pathOf = (url) => new URL(url).pathname;

// A response from the browser's own cache: no request reached the backend, and the trace in it is an old one.
const fromCache = ({ join }) => join.reason === "stale_http_cache";

// Finds for every ledger entry the request that was joined to it. The trace id is the backend's own.
export function pairWithLedger(entries, details, base) {
  const open = details.flatMap((detail) => detail.requests
    .filter((request) => new URL(request.url).origin === base)
    .map((request) => ({ request, detail })));
  const pairs = [];
  for (const entry of entries) {
    const at = open.findIndex(({ request }) => request.join.trace_id === entry.trace_id && pathOf(request.url) === entry.path
      && !fromCache(request) && [entry.span_id, entry.parent_span_id].includes(request.join.span_id));
    pairs.push({ entry, ...(at < 0 ? {} : open.splice(at, 1)[0]) });
  }
  return { pairs, leftOver: open };
}

const nameOf = ({ method, path, status, trace_id }) => `${method} ${path} (${status}, trace ${trace_id.slice(0, 8)}…)`;

// Each request that the backend served is joined exactly, and exact_parent only if the backend had a remote parent.
export function judgeLedger(pairs) {
  return pairs.flatMap(({ entry, request }) => {
    if (!request) return [`${nameOf(entry)} was served by the backend, but no view has a request joined to it`];
    if (!EXACT.has(request.join.level)) return [`${nameOf(entry)} is joined at ${request.join.level} (${request.join.reason})`];
    if (request.join.level === "exact_parent" && entry.parent_span_id === "")
      return [`${nameOf(entry)} is said to be exact_parent, but the backend received no traceparent`];
    if (request.spans.length === 0) return [`${nameOf(entry)} is joined, but shows no spans`];
    return [];
  });
}

// What the views show of the shop beyond the ledger: only answers from the browser's cache.
export function judgeLeftOver(leftOver) {
  return leftOver.filter(({ request }) => !fromCache(request)).map(({ request, detail }) =>
    `${request.url} in view ${detail.view.view_id.slice(0, 8)} (${request.join.level}, ${request.join.reason}) is not in the backend's ledger`);
}

// Doubles, compared for identity: the same entries through the same rules must give the same bits.
export function judgeVitals(visit, detail) {
  return VITALS.flatMap((metric) => {
    const expected = visit.vitals[metric];
    const found = detail.vitals.find((vital) => vital.metric === metric);
    const got = found?.state === "measured" ? found.value : undefined;
    if (Object.is(expected, got)) return [];
    return [`${visit.url}: ${metric} is ${got ?? found?.state ?? "absent"}, web-vitals says ${expected ?? "nothing"}`];
  });
}

// Nothing is lost in the shop, so the collector has all that it needs to derive every vital again.
export function judgeVerified(visit, detail) {
  return detail.vitals.filter(({ state, verified }) => state === "measured" && verified !== "equal").map(({ metric, verified, value, derived }) =>
    `${visit.url}: ${metric} ${value} is ${verified ?? "not verified"}${derived === undefined ? "" : `, its entries give ${derived}`}`);
}

// Browser and backend run on one machine: the offset is 0, and the error has to cover it.
export function judgeClock(visit, detail) {
  const { offset_ms: offset, error_ms: error, conflicts } = detail.clock;
  if (offset === undefined) return [`${visit.url}: nothing is known of the servers' clock`];
  if (Math.abs(offset) > error) return [`${visit.url}: the servers' clock is said to be off by ${offset} ms +- ${error}`];
  return conflicts > 0 ? [`${visit.url}: ${conflicts} requests contradict the clock's offset`] : [];
}

export function judgeLedgerOfView(visit, detail) {
  const { ledger } = detail;
  const lost = Object.entries(ledger.losses ?? {}).filter(([, count]) => count > 0);
  return [
    ...lost.map(([reason, count]) => `${visit.url}: ${count} entries lost (${reason})`),
    ...(ledger.beacons_missing > 0 ? [`${visit.url}: ${ledger.beacons_missing} of its beacons are missing`] : []),
    ...(ledger.entries_seen !== ledger.entries_encoded && lost.length === 0
      ? [`${visit.url}: ${ledger.entries_seen} entries seen, ${ledger.entries_encoded} encoded, and no loss told`] : []),
  ];
}

export function judgeTransport(visit, detail, isolated) {
  const expected = isolated ? "shared_ring" : "transfer";
  return [
    ...(visit.isolated === isolated ? [] : [`${visit.url}: crossOriginIsolated is ${visit.isolated}`]),
    ...(detail.view.transport === expected ? [] : [`${visit.url}: transport is ${detail.view.transport}, not ${expected}`]),
  ];
}

// The longest span that called nobody else. By plain duration the outermost caller would always win, and it only waited.
export function slowestOwnWork({ requests }) {
  const spans = requests.flatMap((request) => request.spans);
  const callers = new Set(spans.map((span) => span.parent_span_id));
  return spans.filter((span) => !callers.has(span.span_id))
    .reduce((slowest, span) => (span.duration > (slowest?.duration ?? 0) ? span : slowest), undefined);
}

// The shop's own promise: the search page waits for a slow query, and the collector shows which.
export function judgeSlowQuery(details) {
  const search = details.find(({ view }) => view.route === "/search");
  const slow = search && slowestOwnWork(search);
  if (slow?.service === "catalog" && slow.db_system === "sqlite" && slow.duration > 50) return [];
  return [`/search: most time went into ${slow ? `${slow.service} ${slow.name} (${slow.duration} ms)` : "nothing known"}, not into the slow query of catalog`];
}

export function judgeInjection(pairs) {
  const clicked = pairs.filter(({ entry }) => entry.method === "POST");
  const search = pairs.filter(({ entry }) => entry.path === "/api/suggest");
  return [
    ...clicked.filter(({ request }) => request && request.join.level !== "exact_parent")
      .map(({ entry, request }) => `${nameOf(entry)} comes from a page that injects traceparent, but is ${request.join.level}`),
    ...search.filter(({ entry, request }) => request && (request.join.level !== "exact_trace" || entry.parent_span_id !== ""))
      .map(({ entry, request }) => `${nameOf(entry)} comes from a page that does not inject, but is ${request.join.level}`),
  ];
}
