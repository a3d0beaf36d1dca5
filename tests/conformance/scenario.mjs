/**
 * The corpus on disk. A file of scenarios is JSON lines: a line with "scenario" begins one and says what page it is,
 * and the lines up to the next one are its steps, in order of time. README.md is the normative description.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const folder = join(dirname(fileURLToPath(import.meta.url)), "scenarios");

export const ENTRY_TYPES = [
  "navigation", "resource", "paint", "largest-contentful-paint", "layout-shift", "event", "first-input", "visibility-state",
  "long-animation-frame",
];
/** Of browsers that have soft navigations: pages say so by `soft`. */
export const SOFT_TYPES = ["soft-navigation", "interaction-contentful-paint"];
const STEPS = {
  deliver: ["entries"], pend: ["entries"], idle: [], frames: [], load: [], count: ["interactions"], activate: ["state"],
  hide: [], show: [], pagehide: [], pageshow: ["persisted"], keydown: [], click: [],
};

export function parseScenarios(text, group) {
  const scenarios = [];
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const value = JSON.parse(line);
    if (value.scenario !== undefined) scenarios.push({ group, name: value.scenario, page: value.page, steps: [] });
    else scenarios.at(-1).steps.push(value);
  }
  scenarios.forEach(checkScenario);
  return scenarios;
}

export function printScenarios(scenarios) {
  return scenarios.map(({ name, page, steps }) => [{ scenario: name, page }, ...steps].map((line) => JSON.stringify(line) + "\n").join("")).join("");
}

/** Every scenario of the corpus, or of the groups whose name contains `filter`. */
export function loadScenarios(filter = "") {
  return readdirSync(folder).filter((file) => file.endsWith(".jsonl")).sort()
    .map((file) => [basename(file, ".jsonl"), join(folder, file)])
    .filter(([group]) => group.includes(filter))
    .flatMap(([group, path]) => parseScenarios(readFileSync(path, "utf8"), group));
}

function checkScenario({ group, name, page, steps }) {
  const fail = (what) => {
    throw new Error(`${group}: ${name}: ${what}`);
  };
  if (!(page?.start >= 0)) fail("page.start is missing");
  let at = page.start;
  for (const [i, step] of steps.entries()) {
    const fields = STEPS[step.do] ?? fail(`step ${i} does "${step.do}"`);
    for (const field of fields) if (step[field] === undefined) fail(`step ${i} has no ${field}`);
    if (!(step.at >= at)) fail(`step ${i} goes back in time`);
    at = step.at;
  }
  for (const { entryType } of [...(page.buffered ?? []), ...steps.flatMap((step) => step.entries ?? [])]) {
    if (![...ENTRY_TYPES, ...(page.soft ? SOFT_TYPES : [])].includes(entryType)) fail(`entry type ${entryType}`);
  }
  // Vitals are compared when the page is hidden: web-vitals reports most of them only then.
  if (!steps.some((step) => step.do === "hide")) fail("the page is never hidden");
}
