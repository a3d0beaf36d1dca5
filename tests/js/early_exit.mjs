// How many of the pages that are left early deliver a beacon, in headless Chromium:
//   node tests/js/early_exit.mjs [--runs 20] [--isolated]        (needs js-glue/dist, and npm ci in demo-site)
// A page leaves itself so many milliseconds after its navigation began, on loopback and on an emulated 4G line. Exit code
// 1 when pages of two seconds do not all deliver; below that it is a race that this file only measures.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const top = join(dirname(fileURLToPath(import.meta.url)), "../..");
const puppeteer = createRequire(join(top, "demo-site/package.json"))("puppeteer-core");
const { values } = parseArgs({ options: { runs: { type: "string", default: "20" }, isolated: { type: "boolean", default: false } } });

const LEFT_AT_MS = [50, 200, 500, 1000, 2000];
const SLOW_IMAGE_MS = 3000;
/** The load event comes at once, or only when the page has long been left. */
const PAGES = { "early load": "", "late load": '<img src="/slow" width="8" height="8">' };
const LINES = { loopback: undefined, "4G": { offline: false, latency: 40, downloadThroughput: 1.2e6, uploadThroughput: 6e5 } };
const SETTLE_MS = 700;
const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm" };
const ISOLATION = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const delivered = new Set();

function document(run, leftAt, more) {
  return `<!doctype html><title>early</title><link rel="icon" href="data:,">
<script async src="/sdk/vitrace.js" data-app="early" data-endpoint="/sink/${run}"></script>
<script>setTimeout(() => location.assign("/bye"), ${leftAt} - performance.now())</script><h1>A page</h1>${more}`;
}

function answer(request, response) {
  const { pathname, searchParams } = new URL(request.url, "http://early");
  const reply = (status, type, body) =>
    response.writeHead(status, { "Content-Type": type, "Cache-Control": "max-age=300", ...(values.isolated ? ISOLATION : {}) }).end(body);
  if (pathname.startsWith("/sdk/")) return reply(200, TYPES[extname(pathname)], readFileSync(join(top, "js-glue/dist", pathname.slice(5))));
  if (pathname.startsWith("/sink/")) {
    let size = 0;
    request.on("data", (chunk) => (size += chunk.length));
    request.on("end", () => {
      if (size) delivered.add(pathname.split("/")[2]);
      reply(204, "text/plain");
    });
  } else if (pathname === "/slow") setTimeout(() => reply(200, "image/gif", ""), SLOW_IMAGE_MS);
  else if (pathname === "/page") reply(200, "text/html", document(searchParams.get("run"), +searchParams.get("left"), PAGES[searchParams.get("kind")]));
  else reply(200, "text/html", "<!doctype html><title>bye</title>");
}

function findChromium() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return process.env.CHROMIUM ?? ["chromium", "chromium-browser", "google-chrome"].flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
}

async function leaveEarly(browser, base, line, kind, left, run) {
  // A context of its own: nothing is cached, as on a first visit.
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  if (line) await (await page.createCDPSession()).send("Network.emulateNetworkConditions", line);
  const query = new URLSearchParams({ run, left: String(left), kind });
  const arrived = page.waitForNavigation({ timeout: 6000 });
  page.goto(`${base}/page?${query}`).catch(() => {}); // it may be left before it is complete
  await arrived.catch(() => {});
  for (let n = 0; n < 60 && !page.url().endsWith("/bye"); n++) await wait(50);
  await wait(SETTLE_MS);
  await context.close();
}

const server = http.createServer(answer);
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const base = `http://127.0.0.1:${server.address().port}`;
const profile = mkdtempSync(join(tmpdir(), "vitrace-early-"));
const browser = await puppeteer.launch({ executablePath: findChromium(), headless: true, userDataDir: profile, args: ["--no-sandbox", "--disable-gpu"] });
let good = true;
try {
  console.log(`${values.isolated ? "isolated" : "plain"}; delivered of ${values.runs}, left after ${LEFT_AT_MS.join(", ")} ms`);
  for (const [lineName, line] of Object.entries(LINES)) {
    for (const kind of Object.keys(PAGES)) {
      const counts = [];
      for (const left of LEFT_AT_MS) {
        const runs = Array.from({ length: +values.runs }, (_, n) => `${lineName}-${kind}-${left}-${n}`.replace(/ /g, "-"));
        for (const run of runs) await leaveEarly(browser, base, line, kind, left, run);
        counts.push(runs.filter((run) => delivered.has(run)).length);
      }
      console.log(`${lineName.padEnd(10)}${kind.padEnd(12)}${counts.map((count) => String(count).padStart(5)).join("")}`);
      good &&= counts.at(-1) === +values.runs;
    }
  }
} finally {
  await browser.close();
  server.close();
  server.closeAllConnections();
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
process.exitCode = good ? 0 : 1;
