// Records scripted pages in Chromium into scenarios/recorded.jsonl. Usage: node record.mjs [--only TEXT] [--chromium PATH]
// A recording is kept when the page has told of its end; with --only the others stay as they are.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import puppeteer from "puppeteer-core";
import { SCRIPTS } from "./recorder/scripts.mjs";
import { openSite } from "./recorder/site.mjs";
import { folder, parseScenarios, printScenarios } from "./scenario.mjs";

const { values: options } = parseArgs({ options: { only: { type: "string", default: "" }, chromium: { type: "string", default: "/usr/bin/chromium" } } });
const FLAGS = [
  "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--remote-debugging-port=0", "--window-size=1280,800",
];
const LEFT_MS = 500;
const file = join(folder, "recorded.jsonl");

function readRecorded() {
  try {
    return parseScenarios(readFileSync(file, "utf8"), "recorded");
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
}

function addressOf({ path = "/page", page, target, query = {} }, origin, id) {
  const wanted = `${path}?${new URLSearchParams({ page: target ?? page, id, ...query })}`;
  return origin + (target ? `/page?${new URLSearchParams({ page, id: "none", target: wanted })}` : wanted);
}

const profile = mkdtempSync(join(tmpdir(), "vitrace-record-"));
const logs = new Map();
const site = await openSite((id, log) => logs.set(id, log));
// Puppeteer's own defaults switch the back/forward cache and other parts of a real browser off.
const browser = await puppeteer.launch({ executablePath: options.chromium, ignoreDefaultArgs: true, args: [...FLAGS, `--user-data-dir=${profile}`, "about:blank"] });
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const recorded = new Map(readRecorded().map((scenario) => [scenario.name, scenario]));

async function record(script, id) {
  const page = await browser.newPage();
  await page.goto(addressOf(script, site.origin, id), { waitUntil: "domcontentloaded" });
  await script.act({ page, browser, origin: site.origin });
  await page.goto("about:blank");
  await pause(LEFT_MS);
  await page.close();
  return logs.get(id);
}

try {
  for (const [i, script] of SCRIPTS.entries()) {
    if (!script.name.includes(options.only)) continue;
    const log = await record(script, String(i)).catch((error) => console.log(String(error)));
    if (log) recorded.set(script.name, { name: script.name, ...log });
    console.log(`${log ? "ok  " : "FAIL"} ${script.name}${log ? `: ${log.steps.length} steps` : ""}`);
  }
} finally {
  await browser.close();
  site.close();
  rmSync(profile, { recursive: true, force: true });
}
const scenarios = SCRIPTS.map(({ name }) => recorded.get(name)).filter(Boolean);
writeFileSync(file, printScenarios(scenarios));
console.log(`${scenarios.length} recordings`);
