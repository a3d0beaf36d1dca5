// The conformance corpus: what web-vitals says of a stream of entries, the core says, too. Needs the preset wasm and
// `npm ci` in tests/conformance.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import CoreSubject from "../conformance/core.mjs";
import { EXPLAINED } from "../conformance/explained.mjs";
import { groups as generated } from "../conformance/generate.mjs";
import { judge, tell } from "../conformance/judge.mjs";
import { folder, loadScenarios, printScenarios } from "../conformance/scenario.mjs";
import SdkSubject from "../conformance/sdk.mjs";

const GROUPS = {
  bfcache: "a return from the back/forward cache begins a new view",
  cls: "layout shifts add up in session windows, and the worst one counts",
  frames: "long animation frames tell what an interaction waited for",
  inp: "one interaction in fifty may be slower than INP",
  lcp: "the last candidate before input or hiding is the largest paint",
  load: "the first byte and the first paint, whatever the page and the browser are",
  "load-states": "how far the load had come",
  "random-busy": "random pages that are seldom idle",
  "random-calm": "random pages that are idle after every batch",
  soft: "a soft navigation begins a new view",
  recorded: "pages recorded in Chromium",
};
const SUBJECTS = { core: CoreSubject, SDK: SdkSubject };
const corpus = loadScenarios();
const needed = new Set();

for (const [who, Subject] of Object.entries(SUBJECTS)) {
  for (const [group, sentence] of Object.entries(GROUPS)) {
    test(`the ${who} agrees with web-vitals: ${sentence}`, async () => {
      const unexplained = [];
      for (const scenario of corpus.filter((candidate) => candidate.group === group)) {
        for (const row of await judge(scenario, new Subject())) {
          row.explained?.forEach((id) => needed.add(id));
          if (!row.fields.length || row.explained) continue;
          unexplained.push(tell(scenario, row));
        }
      }
      assert.equal(unexplained.join("\n"), "");
    });
  }
}

test("every explained difference is met by some scenario", () => {
  assert.deepEqual(EXPLAINED.map(({ id }) => id).filter((id) => !needed.has(id)), []);
});

test("every scenario belongs to a group that is run", () => {
  assert.deepEqual([...new Set(corpus.map(({ group }) => group))].sort(), Object.keys(GROUPS).sort());
});

test("the generator makes the files that are in the tree", () => {
  for (const [group, scenarios] of Object.entries(generated)) {
    assert.ok(printScenarios(scenarios) === readFileSync(join(folder, `${group}.jsonl`), "utf8"), `${group}: run npm run generate in tests/conformance`);
  }
});
