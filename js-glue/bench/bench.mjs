// npm run bench [-- --rounds N --scale S --throttle 1,4 --only a,b --passes trace,profile,heap --entries-only]
// What the SDK costs a page, beside other SDKs in the same rounds of one browser, and what one resource entry costs.
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { withBrowser } from "../../demo-site/check/browser.mjs";
import { SUBJECTS } from "../../demo-site/lab/subjects.mjs";
import { entryCosts } from "./entry_cost.mjs";
import { entryTable, subjectTables } from "./report.mjs";
import { PASS_NAMES, runOnce } from "./run.mjs";
import { startServer } from "./server.mjs";
import { randomOf, shuffled } from "./statistics.mjs";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    scale: { type: "string", default: "0.2" },
    throttle: { type: "string", default: "1,4" },
    only: { type: "string" },
    passes: { type: "string", default: PASS_NAMES.join() },
    seed: { type: "string", default: "20261123" },
    json: { type: "string" },
    "entries-only": { type: "boolean", default: false },
    "no-entries": { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds), scale = Number(values.scale);
const only = values.only?.split(",");
// Differences need the page without any SDK, ratios the bare observer.
const subjects = SUBJECTS.filter(({ name }) => !only || name === "none" || name === "bare" || only.includes(name));
const random = randomOf(Number(values.seed));

async function measure(browser, server, throttle) {
  const all = [];
  for (let round = 0; round < rounds; round++) {
    const results = {};
    for (const { name } of shuffled(subjects, random)) {
      results[name] = {};
      for (const pass of values.passes.split(",")) {
        const run = `r${throttle}x${round}x${pass}x${name.replaceAll("-", "_")}`;
        process.stderr.write(`\r${throttle}x round ${round + 1}/${rounds} ${name} ${pass}`.padEnd(60));
        results[name][pass] = await runOnce(browser, server, { subject: name, pass, scale, throttle, run });
      }
    }
    all.push(results);
  }
  process.stderr.write("\n");
  return all;
}

await withBrowser(async (browser) => {
  const server = await startServer(SUBJECTS);
  try {
    console.log(`${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpus()[0].model.trim()}, ${await browser.version()}, ${rounds} rounds, scale ${scale}, seed ${values.seed}; medians, least to most in brackets`);
    const record = { entries: undefined, rounds: {} };
    if (!values["no-entries"]) console.log(entryTable((record.entries = await entryCosts(browser, server, rounds))));
    for (const throttle of values["entries-only"] ? [] : values.throttle.split(",").map(Number)) {
      const measured = await measure(browser, server, throttle);
      record.rounds[throttle] = measured;
      console.log(subjectTables(measured, subjects, throttle));
    }
    if (values.json) writeFileSync(values.json, JSON.stringify(record));
  } finally {
    server.close();
  }
});
