// One view's requests on a time axis, with the backend spans that served each one beneath it.
import { element, shape } from "./dom.js";
import { bytes, milliseconds, path } from "./format.js";
import { legendOf } from "./marks.js";
import { WIDTH, timeline } from "./timeline.js";

const phaseBars = (request) => {
  const p = request.phases ?? {};
  const known = (value, otherwise) => value ?? otherwise;
  const requested = known(p.request_start, 0);
  const answered = known(p.response_start, requested);
  const ended = known(p.response_end, request.duration);
  const connected = known(p.connect_end, 0) - known(p.domain_lookup_start, 0) > 0;
  return [
    ["queue", 0, connected ? p.domain_lookup_start : requested],
    ["connect", connected ? p.domain_lookup_start : requested, connected ? p.connect_end : requested],
    ["queue", connected ? p.connect_end : requested, requested],
    ["wait", requested, answered],
    ["download", answered, ended],
  ].filter(([, from, to]) => to > from);
};

// Labels are HTML above the drawing, so that stretching the drawing does not stretch them.
function axis({ scale, ticks, cuts }, marks) {
  const x = (time) => scale(time).toFixed(2);
  const shares = Array.from({ length: 21 }, () => "");
  for (const tick of ticks) shares[Math.min(20, Math.round((scale(tick) / WIDTH) * 20))] ||= milliseconds(tick).replace(".0 ", " ");
  return element("div", {},
    element("div", { class: "tick-labels", "aria-hidden": "true" }, shares.map((text) => element("span", {}, text))),
    shape("svg", { class: "axis", viewBox: `0 0 ${WIDTH} 12`, preserveAspectRatio: "none", role: "img", "aria-label": "time axis" },
      cuts.map((cut) => shape("rect", { class: "cut", x: x(cut.from), width: Math.max(1, scale(cut.to) - scale(cut.from)).toFixed(2), y: 0, height: 12 },
        shape("title", {}, `${milliseconds(cut.to - cut.from)} without requests`))),
      ticks.map((tick) => shape("line", { x1: x(tick), x2: x(tick), y1: 7, y2: 12, class: "tick" })),
      marks.map((mark) => shape("line", { x1: x(mark.time), x2: x(mark.time), y1: 0, y2: 12, class: `mark mark-${mark.kind}` }, shape("title", {}, `${mark.title} ${milliseconds(mark.time)}`)))));
}

function bars(scale, parts, title) {
  return shape("svg", { class: "bars", viewBox: `0 0 ${WIDTH} 16`, preserveAspectRatio: "none", role: "img", "aria-label": title },
    shape("title", {}, title),
    parts.map(([kind, from, to]) => shape("rect", {
      class: `bar bar-${kind}`, x: scale(from).toFixed(2), ...(kind === "whisker" ? { y: 7, height: 2 } : { y: 3, height: 10 }), width: Math.max(1.5, scale(to) - scale(from)).toFixed(2),
    })));
}

const plusMinus = (error) => `\u00b1 ${milliseconds(error)}`;

function epochNote({ offset_ms: offset, error_ms: error, pairs, conflicts }) {
  if (offset === undefined) return "not known: no request was joined to a server span";
  const side = offset < 0 ? "behind" : "ahead of";
  return `${milliseconds(Math.abs(offset))} ${side} the browser's, ${plusMinus(error)}, by ${pairs} requests${conflicts > 0 ? ` (${conflicts} contradict)` : ""}`;
}

/** How spans come to stand where they stand: an epoch for each time that the browser's clock jumped. */
export function clockNote(clock) {
  const epochs = clock?.epochs ?? [];
  if (epochs.length === 0) return undefined;
  const note = (epoch, i) => (i === 0 ? "" : `from ${milliseconds(epoch.from)} on (the browser's clock jumped by ${milliseconds(epoch.jump_ms)}) `) + epochNote(epoch);
  return element("p", { class: "quiet" }, `The servers' clock is ${epochs.map(note).join("; ")}.`);
}

/** On the browser's axis; by the servers' own clock where nothing better is known. */
const placed = (span) => span.aligned_start ?? span.start;

function spanDepths(spans) {
  const byId = new Map(spans.map((span) => [span.span_id, span]));
  const depth = (span, guard = 0) => (byId.has(span.parent_span_id) && guard < 32 ? 1 + depth(byId.get(span.parent_span_id), guard + 1) : 0);
  return spans.map((span) => [span, depth(span)]);
}

function spanRow(scale, error, [span, depth]) {
  const detail = span.db_query ?? span.http_route ?? "";
  const where = error === undefined ? "by the server's own clock" : `placed ${plusMinus(error)}`;
  const title = `${span.service}: ${span.name}, ${milliseconds(span.duration)}${detail ? `, ${detail}` : ""}, ${where}`;
  const start = placed(span);
  const end = start + span.duration;
  const whisker = error === undefined ? [] : [["whisker", start - error, end + error]];
  const kind = span.db_system ? "db" : span.status === "error" ? "error" : span.kind;
  return element("div", { class: "row span-row" },
    element("div", { class: "label", "data-depth": String(Math.min(depth, 6)) }, element("span", { class: `service` }, span.service), ` ${span.name}`, detail && element("small", {}, ` ${detail}`)),
    element("div", { class: "number" }, milliseconds(span.duration)),
    bars(scale, [...whisker, [kind, start, end]], title));
}

function joinBadge(join) {
  const text = join.level === "none" ? join.reason : join.level;
  return element("span", { class: `badge join-${join.level}`, title: join.trace_id ? `trace ${join.trace_id}` : join.reason }, text);
}

// How a wrapped call was tied to its timing entry. "ambiguous" and "none" have no phases to show.
function matchBadge(request) {
  const match = request.call?.match ?? request.match;
  return match && element("span", { class: "badge match", title: "call and timing entry" }, ` ${match.replaceAll("_", " ")}`);
}

// The parts in the order in which they pass; the collector computed them.
const SPLIT = ["script", "redirect", "queue", "dns", "tcp", "tls", "waiting", "download", "browser"];
function splitRow({ split, call }) {
  if (!split) return undefined;
  const name = (part) => (part === "queue" && call?.preflight_possible ? "queue, with any preflight" : part);
  const parts = SPLIT.filter((part) => split[part] > 0).map((part) => `${name(part)} ${milliseconds(split[part])}`);
  const wires = split.wire_error === undefined ? ""
    : ` (request wire ${milliseconds(split.request_wire)}, response wire ${milliseconds(split.response_wire)}, each ${plusMinus(split.wire_error)})`;
  const server = split.server === undefined ? "" : ` · server ${milliseconds(split.server)}, network ${milliseconds(split.network)}${wires}`;
  return element("div", { class: "row span-row" }, element("div", { class: "label split" }, parts.join(" · ") + server));
}

function requestRows(scale, request) {
  const title = `${request.url}: ${milliseconds(request.duration)}, ${bytes(request.transfer_size)}, ${request.next_hop_protocol ?? ""}`;
  const parts = phaseBars(request).map(([kind, from, to]) => [kind, request.start + from, request.start + to]);
  const spans = spanDepths(request.spans ?? []);
  const head = element("summary", { class: "row" },
    element("div", { class: "label", title: request.url }, element("span", { class: "initiator" }, request.kind === "navigation" ? "document" : request.initiator_type), ` ${path(request.url)} `, joinBadge(request.join), matchBadge(request)),
    element("div", { class: "number" }, milliseconds(request.duration)),
    bars(scale, parts, title));
  return element("details", { open: spans.length > 0 && request.kind !== "resource" || request.initiator_type === "fetch" }, head, splitRow(request), spans.map((row) => spanRow(scale, request.aligned_error, row)));
}

export function waterfall(view, marks) {
  const requests = [...view.requests].sort((a, b) => a.start - b.start);
  const line = timeline([[0, 1], ...marks.map((mark) => [mark.time, mark.time]),
    ...requests.map((r) => [r.start, r.start + r.duration]), ...requests.flatMap((r) => (r.spans ?? []).map((s) => [placed(s), placed(s) + s.duration]))]);
  const legend = ["queue", "connect", "wait", "download", "server", "client", "db"];
  return element("section", { class: "waterfall" },
    element("p", { class: "legend" }, legend.map((name) => element("span", {}, element("i", { class: `swatch bar-${name}` }), name)),
      legendOf(marks).map((mark) => element("span", {}, element("i", { class: `swatch mark-${mark.kind}` }), mark.legend)),
      requests.some((request) => request.aligned_error !== undefined) && element("span", {}, element("i", { class: "swatch bar-whisker" }), "where else it may have been"),
      line.cuts.length > 0 && element("span", {}, element("i", { class: "swatch cut-swatch" }), "rest, cut")),
    element("div", { class: "row axis-row" }, element("div", { class: "label quiet" }, "Request, and below it the spans of its trace"), element("div", {}), axis(line, marks)),
    requests.map((request) => requestRows(line.scale, request)));
}
