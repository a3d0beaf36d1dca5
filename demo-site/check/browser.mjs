// Headless Chromium for the checks: a profile of its own, gone afterwards, and Google's web-vitals running in every page
// beside Vitrace. The library is put into the document before any script of the page, so it costs no request, and it
// keeps its results in localStorage, which survives the navigation that makes them final.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer-core";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const NAMES = ["chromium", "chromium-browser", "google-chrome"];
const RESULT_KEY = "check.web-vitals:";

function findChromium() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const candidates = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = process.env.CHROMIUM ?? candidates.find((path) => existsSync(path));
  if (!found) throw new Error(`no Chromium in PATH (looked for ${NAMES.join(", ")}); set CHROMIUM`);
  return found;
}

function webVitalsScript() {
  const library = fileURLToPath(new URL("../node_modules/web-vitals/dist/web-vitals.iife.js", import.meta.url));
  return `if (self === top && location.protocol === "http:") {
    ${readFileSync(library, "utf8")}
    const key = ${JSON.stringify(RESULT_KEY)} + performance.timeOrigin, values = {};
    const keep = ({ name, value, navigationType }) => {
      values[name.toLowerCase()] = value;
      localStorage.setItem(key, JSON.stringify({ url: location.href, time_origin: performance.timeOrigin, navigationType, values }));
    };
    for (const name of ["LCP", "INP", "CLS", "FCP", "TTFB"]) webVitals["on" + name](keep);
  }`;
}

// Runs in the page.
const readResults = (prefix) => Object.keys(localStorage).filter((key) => key.startsWith(prefix)).map((key) => JSON.parse(localStorage[key]));

export const savedVitals = (page) => page.evaluate(readResults, RESULT_KEY);

export async function withBrowser(work) {
  const profile = mkdtempSync(join(tmpdir(), "vitrace-check-"));
  const browser = await puppeteer.launch({ executablePath: findChromium(), headless: true, userDataDir: profile, args: FLAGS });
  try {
    return await work(browser);
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

export async function openPage(browser) {
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 900 });
  await page.evaluateOnNewDocument(webVitalsScript());
  return page;
}
