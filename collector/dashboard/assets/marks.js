// What happened at one instant of a view, as marks on the time axis, and the lists of what has no place on it.
import { element } from "./dom.js";
import { bytes, milliseconds } from "./format.js";

const MARKS_MAX = 200; // of a kind: more would be one bar

const clicked = (pattern) => `${pattern.type} click${pattern.count > 1 ? ` x ${pattern.count}` : ""} on ${pattern.target || "something"}`;

// By list of the answer's entries: the kind (a class of the style sheet) and what a mark says.
const KINDS = {
  element_timings: ["element", (entry) => `${entry.identifier || entry.name} painted`],
  soft_navigations: ["soft", (entry) => `to ${entry.url}`],
  click_patterns: ["click", clicked],
  errors: ["failed", (entry) => `${entry.type}: ${entry.message}`],
};
const KIND_NAMES = { element: "element", soft: "soft navigation", click: "rage or dead click", failed: "error" };

// Marks of the vitals are named one by one in the legend, the others by their kind.
export function marksOf({ vitals, entries }) {
  const measured = vitals.filter((vital) => vital.state === "measured" && (vital.metric === "lcp" || vital.metric === "fcp"));
  const told = Object.entries(KINDS).flatMap(([list, [kind, say]]) => (entries[list] ?? []).slice(0, MARKS_MAX)
    .map((entry) => ({ kind, time: entry.start, title: say(entry), legend: KIND_NAMES[kind] })));
  // Last, so that they are drawn above the others.
  return told.concat(measured.map(({ metric, value }) =>
    ({ kind: metric, time: value, title: metric.toUpperCase(), legend: `${metric.toUpperCase()} ${milliseconds(value)}` })));
}

export const legendOf = (marks) => [...new Map(marks.map((mark) => [mark.legend, mark])).values()];

const attributes = (entry) => entry.attributes.map(({ key, value }) => `${key} ${value}`).join(", ");

// By list: its title, and a row's cells by their heading.
const TABLES = {
  custom_metrics: ["Metrics", (entry) => ({ metric: entry.name, value: `${entry.value} ${entry.unit}`.trim(), at: milliseconds(entry.start), attributes: attributes(entry) })],
  click_patterns: ["Clicks that met trouble", (entry) => ({ clicks: clicked(entry), at: milliseconds(entry.start), during: milliseconds(entry.duration) })],
  not_restored_reasons: ["Why the back/forward cache did not keep it", (entry) => ({ reason: entry.reason, frame: entry.depth === 0 ? "the page" : entry.url || `depth ${entry.depth}` })],
  memory_measurements: ["Memory", (entry) => ({ at: milliseconds(entry.start), "in all": bytes(entry.bytes), JavaScript: bytes(entry.js_bytes), DOM: bytes(entry.dom_bytes) })],
};

function table(title, rows) {
  return element("table", {}, element("caption", {}, title),
    element("thead", {}, element("tr", {}, Object.keys(rows[0]).map((heading) => element("th", { scope: "col" }, heading)))),
    element("tbody", {}, rows.map((row) => element("tr", {}, Object.values(row).map((cell) => element("td", {}, cell))))));
}

export function tablesSection(entries) {
  return element("section", {}, Object.entries(TABLES).filter(([list]) => entries[list]?.length > 0)
    .map(([list, [title, rowOf]]) => table(title, entries[list].slice(0, MARKS_MAX).map(rowOf))));
}
