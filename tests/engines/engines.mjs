// The SDK in real engines against the real collector: vitals equal to web-vitals', and how many page lives are delivered for
// each way in which a page ends. Prints two tables in Markdown.
// Usage: node tests/engines/engines.mjs [--collector PATH] [--n 2] [--engine NAME] [--life WORDS]     Closes with "N passed, N failed".
// An engine that is not installed is skipped with a line that says so. Needs js-glue/dist and the packages of demo-site.
import { parseArgs } from "node:util";
import { Collector } from "../pages/collector.mjs";
import { ENGINES } from "./browsers.mjs";
import { LIVES } from "./lives.mjs";
import { startSite } from "./site.mjs";
import { compareVitals } from "./vitals.mjs";

const { values } = parseArgs({ options: { collector: { type: "string", default: "build/release/vitrace" }, n: { type: "string", default: "2" },
  engine: { type: "string" }, life: { type: "string", default: "" } } });
const n = +values.n;
const SETTLE_SECONDS = 4;

let passed = 0, failed = 0;
function check(sentence, good, detail = "") {
  good ? passed++ : failed++;
  console.log(`${good ? "ok  " : "FAIL"} ${sentence}${good ? "" : `: ${detail}`}`);
}

/** The views of one life, each with how often it said "last", and what of it came twice. */
async function viewsOf(collector, app, url) {
  const mine = (await collector.views(app)).filter((view) => view.url === url || view.url === `${url}/soft`);
  return Promise.all(mine.map(async ({ view_id, crashed, navigation_type }) => {
    const { entries, ledger } = await collector.view(view_id);
    const names = entries.custom_events.map(({ name }) => name);
    return { last: names.filter((name) => name === "last").length, first: names.filter((name) => name === "first").length, ledger, crashed, type: navigation_type };
  }));
}

/** A soft navigation is a view of its own only for an SDK that makes one: what counts then is that both words came. */
async function judgeLife(collector, app, url, { views = 1, soft, snapshot, type }) {
  // Of a page that crashed, the browser sends the snapshot that was left with it: the vitals, and no word.
  const lasts = (found) => found.reduce((sum, view) => sum + (snapshot ? +view.crashed : view.last), 0);
  const found = await collector.until(SETTLE_SECONDS, () => viewsOf(collector, app, url), (views_) => lasts(views_) >= views);
  const isOnce = found.every(({ first }) => first <= 1) && lasts(found) <= views && (soft || found.every(({ last }) => last <= 1));
  const seen = found.map(({ last, first, ledger }) => `${first}+${last} in ${ledger.beacons_received} beacons`).join(", ");
  return { delivered: lasts(found) >= views && (!type || found.every((view) => view.type === type)), isOnce, views: found.length, seen };
}

async function runLives(engine, site, collector, app, name, kind) {
  const result = { delivered: 0, twice: 0, notes: new Set(), errors: [] };
  const lives = [], open = [];
  for (let i = 0; i < n; i++) {
    const path = `/life/${name.replace(/\W+/g, "-")}/${"abcdefghijklmnopqrstuvwxyz"[i % 26]}${"x".repeat(i / 26)}`;
    try {
      const end = await kind.live(engine, site, path);
      if (typeof end === "string") result.notes.add(end);
      else if (end) open.push(end);
    } catch (error) {
      result.errors.push(error.message);
    }
    lives.push(site.base + path);
  }
  for (const url of lives) {
    const { delivered, isOnce, views, seen } = await judgeLife(collector, app, url, kind);
    result.delivered += delivered;
    result.twice += !isOnce;
    if (!delivered) result.errors.push(`${url}: views with first+last: ${seen || "none"}`);
    if (kind.soft && delivered) result.notes.add(`${views} view${views === 1 ? "" : "s"}`);
  }
  for (const tab of open) await tab.close().catch(() => {});
  return result;
}

const vitalRows = [], lifeRows = {}, used = [];
const cell = ({ found, supported }) => (!supported ? found : typeof found === "number" ? `${+found.toFixed(4)}` : found);

async function runEngine(name, start) {
  const collector = await Collector.start(values.collector);
  const app = `engine-${name}`;
  const site = await startSite(collector.beacons, () => app);
  const engine = await start();
  used.push(engine);
  console.log(`# ${name} ${engine.version}`);
  try {
    const vitals = await compareVitals(engine, site, collector, app, "/life/vitals");
    for (const [metric, { equal, found, expected, supported }] of Object.entries(vitals)) {
      check(`${name}: ${metric} is ${supported ? "what web-vitals says" : "told to be unsupported"}`, equal, `${found}, web-vitals ${expected}`);
    }
    vitalRows.push([name, ...Object.values(vitals).map(cell)]);
    for (const [life, kind] of Object.entries(LIVES)) {
      if (!life.includes(values.life)) continue;
      if (kind.in && !kind.in.includes(name)) {
        (lifeRows[life] ??= {})[name] = "-";
        continue;
      }
      const { delivered, twice, notes, errors } = await runLives(engine, site, collector, app, life, kind);
      (lifeRows[life] ??= {})[name] = `${delivered}/${n}${[...notes].map((note) => ` (${note})`).join("")}`;
      check(`${name}: ${life}: ${kind.snapshot ? "its snapshot is delivered" : "every life is delivered"}`,
        errors.length === 0 && delivered === n, `${delivered} of ${n}. ${errors.join("; ")}`);
      check(`${name}: ${life}: nothing is stored twice`, twice === 0, `${twice} lives`);
    }
  } finally {
    await engine.end();
    site.end();
    await collector.stop();
  }
}

for (const [name, find] of Object.entries(ENGINES)) {
  if (values.engine && values.engine !== name) continue;
  const start = find();
  if (typeof start === "string") console.log(`skipped: ${name}: ${start}`);
  else await runEngine(name, start);
}

const table = (head, rows) => [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
console.log(`\n${table(["engine", "LCP", "INP", "CLS", "FCP", "TTFB"], vitalRows)}\n`);
console.log(table(["end of the page", ...used.map(({ version }) => version)],
  Object.entries(lifeRows).map(([life, byEngine]) => [life, ...used.map((engine) => byEngine[engine.name])])) + "\n");
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
