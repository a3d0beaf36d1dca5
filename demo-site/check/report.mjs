// Tables and verdicts on the terminal.
import { slowestOwnWork } from "./verdict.mjs";

export function printTable(titles, rows) {
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map((row) => String(row[column]).length)));
  const line = (cells) => cells.map((cell, column) => String(cell).padEnd(widths[column])).join("  ").trimEnd();
  console.log(line(titles));
  console.log(line(widths.map((width) => "-".repeat(width))));
  for (const row of rows) console.log(line(row));
}

const LISTED_MAX = 12;

// judgements: [sentence that should hold, list of sentences against it]. Returns { passed, failed }.
export function printJudgements(judgements) {
  for (const [claim, objections] of judgements) {
    console.log(`${objections.length === 0 ? "PASS" : "FAIL"}  ${claim}`);
    for (const objection of objections.slice(0, LISTED_MAX)) console.log(`        ${objection}`);
    if (objections.length > LISTED_MAX) console.log(`        and ${objections.length - LISTED_MAX} more`);
  }
  const failed = judgements.filter(([, objections]) => objections.length > 0).length;
  return { passed: judgements.length - failed, failed };
}

// The closing line that tests/run.sh adds up.
export function printTotal(totals) {
  const sum = (key) => totals.reduce((count, total) => count + total[key], 0);
  console.log(`\n${sum("passed")} passed, ${sum("failed")} failed`);
  return sum("failed") === 0 ? 0 : 1;
}

const number = (vital, digits) => (vital?.state === "measured" ? vital.value.toFixed(digits) : vital?.state === "unsupported" ? "n/a" : "-");

export function viewRow(detail) {
  const { view } = detail, { vitals, joined } = view;
  const slow = slowestOwnWork(detail);
  const levels = Object.entries(joined).filter(([, count]) => count > 0).map(([level, count]) => `${level} ${count}`);
  return [view.view_id.slice(0, 8), view.route, number(vitals.lcp, 1), number(vitals.inp, 0), number(vitals.cls, 4), view.requests,
    levels.join(", "), slow ? `${slow.service}: ${slow.name} ${slow.duration.toFixed(1)} ms` : "-"];
}

export const VIEW_TITLES = ["view", "route", "LCP ms", "INP ms", "CLS", "requests", "joined", "slowest backend span"];
