// Writes the generated part of the corpus: scenarios/<group>.jsonl. The same tree gives the same files.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { bfcache } from "./generator/bfcache.mjs";
import { cls } from "./generator/cls.mjs";
import { frames, loadStates } from "./generator/frames.mjs";
import { inp } from "./generator/inp.mjs";
import { lcp } from "./generator/lcp.mjs";
import { load } from "./generator/load.mjs";
import { busy, calm } from "./generator/random.mjs";
import { softNavigations } from "./generator/soft.mjs";
import { folder, parseScenarios, printScenarios } from "./scenario.mjs";

export const groups = {
  bfcache: bfcache(), cls: cls(), frames: frames(), inp: inp(), lcp: lcp(), load: load(), "load-states": loadStates(), soft: softNavigations(), "random-busy": busy(32, 5000), "random-calm": calm(48, 1000),
};

if (process.argv[1] === new URL(import.meta.url).pathname) {
  for (const [group, scenarios] of Object.entries(groups)) {
    const text = printScenarios(scenarios);
    parseScenarios(text, group);
    writeFileSync(join(folder, `${group}.jsonl`), text);
    console.log(`${group}: ${scenarios.length} scenarios, ${Math.ceil(text.length / 1024)} KiB`);
  }
}
