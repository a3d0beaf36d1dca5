// The corpus against web-vitals 6.2.3. Usage: node run.mjs [--subject core|sdk|./my_subject.mjs] [--group TEXT] [--table]
// Closes with "N passed, N failed" (scenarios); --table prints what README.md shows.
import { parseArgs } from "node:util";
import { METRICS } from "./compare.mjs";
import { EXPLAINED } from "./explained.mjs";
import { judge, tell } from "./judge.mjs";
import { loadScenarios } from "./scenario.mjs";

const { values: options } = parseArgs({ options: { subject: { type: "string", default: "core" }, group: { type: "string", default: "" }, table: { type: "boolean", default: false } } });
const module = /[./]/.test(options.subject) ? new URL(options.subject, `file://${process.cwd()}/`).href : `./${options.subject}.mjs`;
const { default: Subject } = await import(module);

const groups = new Map();
const used = new Map();
let failed = 0;
const scenarios = loadScenarios(options.group);
for (const scenario of scenarios) {
  const tally = groups.get(scenario.group) ?? { scenarios: 0, moments: 0, vitals: Object.fromEntries(METRICS.map((metric) => [metric, 0])), explained: 0, unexplained: 0 };
  groups.set(scenario.group, tally);
  const rows = await judge(scenario, new Subject());
  tally.scenarios++;
  tally.moments += rows.length / METRICS.length;
  for (const row of rows) {
    if (row.isReported) tally.vitals[row.metric]++;
    for (const id of row.explained ?? []) used.set(id, (used.get(id) ?? 0) + 1);
    if (row.explained) tally.explained++;
    if (row.fields.length && !row.explained) {
      tally.unexplained++;
      console.log(tell(scenario, row));
    }
  }
  if (rows.some((row) => row.fields.length && !row.explained)) failed++;
}

if (options.table) {
  console.log(`| group | scenarios | times hidden | ${METRICS.join(" | ")} | explained | unexplained |\n|---|${"--:|".repeat(METRICS.length + 4)}`);
  const sum = (read) => [...groups.values()].reduce((total, tally) => total + read(tally), 0);
  const line = (name, read) => console.log(`| ${name} | ${["scenarios", "moments"].map((field) => read((t) => t[field])).join(" | ")} | ${METRICS.map((m) => read((t) => t.vitals[m])).join(" | ")} | ${read((t) => t.explained)} | ${read((t) => t.unexplained)} |`);
  for (const [name, tally] of groups) line(name, (read) => read(tally));
  line("all", sum);
  console.log("\n| difference | vitals |\n|---|--:|");
  for (const { id, title } of EXPLAINED) console.log(`| \`${id}\` ${title} | ${used.get(id) ?? 0} |`);
}
console.log(`${scenarios.length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
