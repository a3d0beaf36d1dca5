// The demo's end-to-end check is only worth something if it can fail. Each test breaks one thing in an answer of the
// collector that is otherwise right, and expects exactly that to be said.
import assert from "node:assert/strict";
import test from "node:test";
import { beaconId, protobufFields, spanIds } from "../../demo-site/check/protobuf.mjs";
import * as verdict from "../../demo-site/check/verdict.mjs";

const BASE = "http://127.0.0.1:8080";
const TRACE = "0af7651916cd43dd8448eb211c80319c", OTHER = "11111111111111111111111111111111";
const SPAN = "b7ad6b7169203331", PARENT = "00f067aa0ba902b7";

const entry = (changes = {}) => ({ method: "GET", path: "/api/products", status: 200, trace_id: TRACE, span_id: SPAN, parent_span_id: "", ...changes });
const request = (changes = {}, join = {}) => ({ url: `${BASE}/api/products`, spans: [{}],
  join: { level: "exact_trace", reason: "joined", trace_id: TRACE, span_id: SPAN, ...join }, ...changes });
const detail = (requests, changes = {}) => ({ view: { view_id: "ab".repeat(16), route: "/", transport: "transfer", ...changes.view },
  requests, vitals: changes.vitals ?? [], ledger: changes.ledger ?? { entries_seen: 4, entries_encoded: 4, losses: {}, beacons_missing: 0 } });

function judged(entries, requests) {
  const { pairs, leftOver } = verdict.pairWithLedger(entries, [detail(requests)], BASE);
  return [...verdict.judgeLedger(pairs), ...verdict.judgeLeftOver(leftOver)];
}

test("verdict: a request joined to the backend's own trace holds", () => {
  assert.deepEqual(judged([entry()], [request()]), []);
});

test("verdict: a served request without any join is named", () => {
  assert.match(judged([entry()], [])[0], /GET \/api\/products .* no view has a request joined to it/);
});

test("verdict: a join to a trace that the backend never recorded fails on both sides", () => {
  assert.equal(judged([entry()], [request({}, { trace_id: OTHER })]).length, 2);
});

test("verdict: a join to another span of the right trace fails", () => {
  assert.equal(judged([entry()], [request({}, { span_id: PARENT })]).length, 2);
});

test("verdict: a join to the right trace under another path fails", () => {
  assert.equal(judged([entry()], [request({ url: `${BASE}/api/sale/4` })]).length, 2);
});

test("verdict: one request cannot stand for two that were served", () => {
  assert.equal(judged([entry(), entry()], [request()]).length, 1);
});

test("verdict: a join that is not exact fails and tells its reason", () => {
  assert.match(judged([entry()], [request({}, { level: "none", reason: "pending" })])[0], /none \(pending\)/);
});

test("verdict: exact_parent needs a parent that the backend received", () => {
  const join = { level: "exact_parent", span_id: PARENT };
  assert.deepEqual(judged([entry({ parent_span_id: PARENT })], [request({}, join)]), []);
  assert.match(judged([entry()], [request({}, { level: "exact_parent" })])[0], /received no traceparent/);
});

test("verdict: a joined request must show spans", () => {
  assert.match(judged([entry()], [request({ spans: [] })])[0], /shows no spans/);
});

test("verdict: an answer from the browser's cache is no request, and no match for one", () => {
  const stale = request({}, { level: "none", reason: "stale_http_cache" });
  assert.deepEqual(judged([], [stale]), []);
  assert.equal(judged([entry()], [stale]).length, 1);
});

test("verdict: vitals are compared to the last bit", () => {
  const visit = { url: `${BASE}/`, vitals: { lcp: 100.1, cls: 0 } };
  const vitals = (lcp) => [{ metric: "lcp", state: "measured", value: lcp }, { metric: "cls", state: "measured", value: 0 }, { metric: "inp", state: "unsupported" }];
  assert.deepEqual(verdict.judgeVitals(visit, detail([], { vitals: vitals(100.1) })), []);
  assert.equal(verdict.judgeVitals(visit, detail([], { vitals: vitals(100.1 + 2 ** -46) })).length, 1);
  assert.equal(verdict.judgeVitals(visit, detail([], { vitals: [] })).length, 2);
  assert.match(verdict.judgeVitals({ ...visit, vitals: {} }, detail([], { vitals: vitals(1) }))[0], /web-vitals says nothing/);
});

test("verdict: a vital that is not derived again as it was reported fails", () => {
  const of = (vital) => verdict.judgeVerified({ url: BASE }, detail([], { vitals: [{ metric: "fcp", value: 10, ...vital }] }));
  assert.deepEqual(of({ state: "measured", verified: "equal" }), []);
  assert.deepEqual(of({ state: "unsupported" }), []);
  assert.match(of({ state: "measured", verified: "differs", derived: 12 })[0], /fcp 10 is differs, its entries give 12/);
  assert.match(of({ state: "measured", verified: "unknown" })[0], /unknown/);
  assert.match(of({ state: "measured" })[0], /not verified/);
});

test("verdict: one machine's clocks must be found equal", () => {
  const of = (clock) => verdict.judgeClock({ url: BASE }, { clock });
  assert.deepEqual(of({ offset_ms: -1.5, error_ms: 2, pairs: 3, conflicts: 0 }), []);
  assert.match(of({ offset_ms: -2.5, error_ms: 2, pairs: 3, conflicts: 0 })[0], /off by -2.5 ms/);
  assert.match(of({ pairs: 0, conflicts: 0 })[0], /nothing is known/);
  assert.match(of({ offset_ms: 0, error_ms: 2, pairs: 3, conflicts: 1 })[0], /1 requests contradict/);
});

test("verdict: loss, told or untold, and missing beacons fail", () => {
  const of = (ledger) => verdict.judgeLedgerOfView({ url: BASE }, detail([], { ledger })).length;
  assert.equal(of({ entries_seen: 4, entries_encoded: 4, losses: { ring_full: 0 }, beacons_missing: 0 }), 0);
  assert.equal(of({ entries_seen: 5, entries_encoded: 4, losses: { ring_full: 1 }, beacons_missing: 0 }), 1);
  assert.equal(of({ entries_seen: 5, entries_encoded: 4, losses: {}, beacons_missing: 0 }), 1);
  assert.equal(of({ entries_seen: 4, entries_encoded: 4, losses: {}, beacons_missing: 1 }), 1);
});

test("verdict: the transport must be that of the page's isolation", () => {
  assert.deepEqual(verdict.judgeTransport({ isolated: false }, detail([]), false), []);
  assert.equal(verdict.judgeTransport({ isolated: false }, detail([]), true).length, 2);
});

test("verdict: injected and not injected calls must show their own level", () => {
  const pair = (path, method, parent, level) => ({ entry: entry({ path, method, parent_span_id: parent }), request: request({}, { level }) });
  assert.deepEqual(verdict.judgeInjection([pair("/api/cart", "POST", PARENT, "exact_parent"), pair("/api/suggest", "GET", "", "exact_trace")]), []);
  assert.equal(verdict.judgeInjection([pair("/api/cart", "POST", "", "exact_trace"), pair("/api/suggest", "GET", PARENT, "exact_parent")]).length, 2);
});

test("verdict: the slow query is found below the callers that waited for it", () => {
  const span = (id, parent, duration, rest = {}) => ({ span_id: id, parent_span_id: parent, duration, service: "web", name: id, ...rest });
  const sql = { service: "catalog", db_system: "sqlite" };
  const page = (queryMs) => ({ view: { route: "/search" }, requests: [
    { spans: [span("server", "", 250), span("client", "server", 248), span("query", "client", queryMs, sql)] }, { spans: [span("file", "", 60)] }] });
  assert.equal(verdict.slowestOwnWork(page(240)).span_id, "query");
  assert.deepEqual(verdict.judgeSlowQuery([page(240)]), []);
  assert.match(verdict.judgeSlowQuery([page(2)])[0], /web file/);
  assert.match(verdict.judgeSlowQuery([])[0], /nothing known/);
});

test("protobuf: ids are read from a beacon and from spans, and a cut field is an error", () => {
  const view = Buffer.alloc(16, 7), header = Buffer.concat([Buffer.from([8, 1, 26, 16]), view, Buffer.from([40, 130, 1])]);
  const beacon = Buffer.concat([Buffer.from([10, header.length]), header, Buffer.from([18, 1, 65])]);
  assert.deepEqual(beaconId(beacon), { view_id: view.toString("hex"), seq: 130 });
  const wrap = (tag, body) => Buffer.concat([Buffer.from([tag, body.length]), body]);
  const span = Buffer.concat([wrap(10, Buffer.from(TRACE, "hex")), wrap(18, Buffer.from(SPAN, "hex")), Buffer.from([57, 0, 0, 0, 0, 0, 0, 0, 0])]);
  assert.deepEqual(spanIds(wrap(10, wrap(18, wrap(18, span)))), [{ trace_id: TRACE, span_id: SPAN }]);
  assert.throws(() => [...protobufFields(beacon.subarray(0, 5))]);
});
