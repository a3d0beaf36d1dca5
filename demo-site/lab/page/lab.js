// The page: choose, run, draw. Also what bench.mjs calls, so the command line measures exactly what a visitor sees.
import { runRounds } from "./run.js";
import { compare, summary } from "./statistics.js";

const SVG = "http://www.w3.org/2000/svg";
const at = (id) => document.getElementById(id);
const node = (name, attributes, ...children) => {
  const made = /^(svg|rect|line)$/.test(name) ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};
const known = await (await fetch("/lab/subjects")).json();
const kilobytes = (value) => `${(value / 1000).toFixed(1)} kB`;
const milliseconds = (value) => `${value.toFixed(1)} ms`;

const CHARTS = [
  { title: "To download (gzip)", unit: kilobytes, of: (name) => summary([known.sizes[name].gzip]) },
  { title: "Main-thread time at start", unit: milliseconds, of: (name, results) => results?.[name].start },
  { title: "Main-thread time over the workload", unit: milliseconds, of: (name, results) => results?.[name].workload },
  { title: "Bytes sent", unit: kilobytes, of: (name, results) => results?.[name].bytes },
];

function barRow(subject, value, most, unit) {
  const x = (number) => Math.max(0, (number / most) * 100);
  const drawing = node("svg", { viewBox: "0 0 100 16", preserveAspectRatio: "none", "aria-hidden": "true" },
    node("rect", { class: "bar", x: 0, y: 3, height: 10, width: x(value.median) }));
  if (value.count > 1) drawing.append(node("line", { class: "whisker", x1: x(value.min), x2: x(value.max), y1: 8, y2: 8 }));
  const spread = value.count > 1 ? ` (${unit(value.min)} to ${unit(value.max)})` : "";
  return node("div", { class: `bar-row${subject.name === "vitrace" ? " ours" : ""}`, title: subject.about },
    node("span", {}, subject.label), drawing, node("span", { class: "value", title: spread }, unit(value.median)));
}

function draw(names, results) {
  at("charts").replaceChildren(...CHARTS.map(({ title, unit, of }) => {
    const rows = names.map((name) => [known.subjects.find((one) => one.name === name), of(name, results)]).filter(([, value]) => value && value.count > 0);
    const most = Math.max(1e-9, ...rows.map(([, value]) => value.max));
    return node("section", {}, node("h2", {}, title), ...rows.map(([subject, value]) => barRow(subject, value, most, unit)));
  }));
}

export async function measure(names, count, seed) {
  const rounds = await runRounds(names, count, seed, ({ round, name, rounds: done }) => {
    at("progress").textContent = name ? `round ${round} of ${count}: ${name}` : `round ${round} of ${count} done`;
    if (!name) draw(names, compare(done, names));
  });
  return { rounds, results: compare(rounds, names) };
}
globalThis.labMeasure = measure;

const boxes = known.subjects.map((subject) => {
  const box = node("input", { type: "checkbox", value: subject.name, checked: "" });
  if (subject.name === "none") box.disabled = true;
  at("subjects").append(node("label", {}, box, ` ${subject.label} `, node("small", {}, subject.about)));
  return box;
});
const chosen = () => boxes.filter((box) => box.checked).map((box) => box.value);
at("about").textContent = `${known.machine} · ${known.date.slice(0, 10)} · ${navigator.userAgent} · ${Object.entries(known.versions).map(([name, version]) => `${name} ${version}`).join(", ")}`;
draw(chosen(), undefined);
at("go").addEventListener("click", async () => {
  at("go").disabled = true;
  try {
    await measure(chosen(), Number(at("rounds").value), Number(at("seed").value));
  } catch (error) {
    at("progress").textContent = error.message;
  } finally {
    at("go").disabled = false;
  }
});
