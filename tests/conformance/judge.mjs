/** One scenario, one subject, and the verdict: equal, different for a reason of the table, or different. */
import { compareRuns } from "./compare.mjs";
import { EXPLAINED } from "./explained.mjs";
import { Oracle } from "./oracle.mjs";
import { play } from "./play.mjs";

const ROWS_TOGETHER_MAX = 3;

function combinations(rows, size, from = 0) {
  if (size === 0) return [[]];
  return rows.slice(from).flatMap((row, i) => combinations(rows, size - 1, from + i + 1).map((rest) => [row, ...rest]));
}

/** All streams that the rows make of this one together; none when a row has nothing to rewrite. */
function rewritten(scenario, at, rows) {
  const isChanged = (before) => (after) => JSON.stringify(after) !== JSON.stringify(before);
  return rows.reduce((variants, { rewrite }) => variants.flatMap((variant) => rewrite(variant, at).filter(isChanged(variant))), [scenario]);
}

async function explanationOf(scenario, { at, metric, have }) {
  const rows = EXPLAINED.filter(({ metrics }) => metrics.includes(metric));
  for (let size = 1; size <= Math.min(rows.length, ROWS_TOGETHER_MAX); size++) {
    for (const chosen of combinations(rows, size)) {
      for (const variant of rewritten(scenario, at, chosen)) {
        const expected = await play(variant, new Oracle());
        const moment = Array.from({ length: at + 1 }, () => ({}));
        moment[at] = { [metric]: have };
        const row = compareRuns(scenario, expected.slice(0, at + 1), moment).find((candidate) => candidate.at === at && candidate.metric === metric);
        if (row.fields.length === 0) return chosen.map(({ id }) => id);
      }
    }
  }
  return undefined;
}

/** Rows of compareRuns, and for each that differs `explained`: the ids of the table, or undefined. */
export async function judge(scenario, subject) {
  const expected = await play(scenario, new Oracle());
  const actual = await play(scenario, subject);
  const rows = compareRuns(scenario, expected, actual);
  for (const row of rows) if (row.fields.length) row.explained = await explanationOf(scenario, row);
  return rows;
}

export function tell(scenario, { at, metric, fields, want, have }) {
  return `${scenario.group}: ${scenario.name}: ${metric} at moment ${at} differs in ${fields.join(", ")}\n  web-vitals: ${JSON.stringify(want)}\n  subject:    ${JSON.stringify(have)}`;
}
