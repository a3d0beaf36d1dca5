// The tables that README.md quotes.
import { pairedDifference, pairedRatio, summaryOf } from "./statistics.mjs";

const cell = ({ median, min, max }, digits = 1) => (Number.isFinite(median) ? `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})` : "-");
const table = (head, rows) => [head, head.map((_, at) => (at ? "---:" : "---")), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");

// Each column: its title, and the text of a subject. A pass that was not run gives "-".
const COLUMNS = [
  ["start, SDK CPU ms", (rounds, name) => cell(summaryOf(rounds.map((round) => round[name].trace?.startMs)))],
  ["longest start block ms", (rounds, name) => cell(summaryOf(rounds.map((round) => round[name].trace?.longestStartBlockMs)))],
  ["load, CPU ms over none", (rounds, name) => cell(pairedDifference(rounds, (one) => one.trace?.loadCpuMs, name, "none"), 0)],
  ["workload, CPU ms over none", (rounds, name) => cell(pairedDifference(rounds, (one) => one.trace?.cpuMs, name, "none"), 0)],
  ["self time, x bare", (rounds, name) => cell(pairedRatio(rounds, (one) => one.profile?.selfMs, name, "bare"), 2)],
  ["self ms", (rounds, name) => cell(summaryOf(rounds.map((round) => round[name].profile?.selfMs)))],
  ["peak of 100 ms, %", (rounds, name) => cell(summaryOf(rounds.map((round) => round[name].profile?.peakShare * 100)))],
  ["long tasks", (rounds, name) => cell(summaryOf(rounds.map((round) => round[name].trace?.longTasks)), 0)],
  ["heap over bare, kB", (rounds, name) => cell(pairedDifference(rounds, (one) => one.trace?.heapBytes / 1000, name, "bare"), 0)],
  ["allocated over bare, kB", (rounds, name) => cell(pairedDifference(rounds, (one) => one.heap?.allocatedBytes / 1000, name, "bare"), 0)],
  ["sent kB", (rounds, name) => cell(summaryOf(rounds.map((round) => round[name].trace?.bytes / 1000)))],
  ["gzip kB", (rounds, name) => cell(summaryOf(rounds.map((round) => round[name].trace?.gzipBytes / 1000)))],
];

export function subjectTables(rounds, subjects, throttle) {
  const rows = subjects.map(({ name, label }) => [label, ...COLUMNS.map(([, text]) => text(rounds, name))]);
  const errors = subjects.flatMap(({ name }) => rounds.flatMap((round) => Object.values(round[name]).flatMap(({ errors: seen }) => seen.map((error) => `${name}: ${error}`))));
  return [`\n### ${throttle}x\n`, table(["SDK", ...COLUMNS.map(([title]) => title)], rows), ...new Set(errors)].join("\n");
}

export function entryTable(results) {
  const rows = results.map(({ name, usPerEntry, ratio, bytesPerEntry }) => [name, cell(usPerEntry, 2), cell(ratio, 2), bytesPerEntry ? bytesPerEntry.toFixed(1) : "-"]);
  return `\n### One resource entry\n\n${table(["path", "us an entry", "x floor", "bytes an entry"], rows)}`;
}
