// A page with the tag in headless Chromium, and what it sends: for what only a real browser knows.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, extname, join } from "node:path";
import protobuf from "protobufjs";
import { top } from "./bundle.mjs";
import { unpacked } from "./unpacked.mjs";

const dist = join(top, "js-glue/dist");
const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm" };
const ISOLATION = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
// Puppeteer's own defaults switch the back/forward cache and other parts of a real browser off.
const FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--remote-debugging-port=0", "--window-size=1280,800"];
const IMAGE = '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200"><rect width="300" height="200" fill="teal"/></svg>';

function findChromium() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return process.env.CHROMIUM ?? ["chromium", "chromium-browser", "google-chrome"].flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
}

/** Why there is no browser to test with, or false. */
export function noChromium() {
  if (!existsSync(join(dist, "vitrace.wasm"))) return "js-glue/dist is not built";
  return !findChromium() && "there is no Chromium";
}

/** `pages`: bodies by path; with ?isolated a page is cross-origin isolated. /slow answers after ?ms. */
async function openSite(pages, beacons) {
  const Beacon = (await protobuf.load(join(top, "proto/vitrace/v1/beacon.proto"))).lookupType("vitrace.v1.Beacon");
  const server = http.createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://site");
    const reply = (status, type, body, headers = {}) =>
      response.writeHead(status, { "Content-Type": type, "Cache-Control": "no-cache", "Cross-Origin-Resource-Policy": "same-origin", ...headers }).end(body);
    if (pathname.startsWith("/sdk/")) return reply(200, TYPES[extname(pathname)], readFileSync(join(dist, pathname.slice(5))), ISOLATION);
    if (pathname === "/slow") return setTimeout(() => reply(200, "text/plain", "slow"), +searchParams.get("ms"));
    if (pathname === "/image.svg") return reply(200, "image/svg+xml", IMAGE);
    if (pathname === "/v1/beacon") {
      const parts = [];
      for await (const part of request) parts.push(part);
      const beacon = Beacon.decode(unpacked(Buffer.concat(parts)));
      beacons.push({ beacon, text: (ref) => (ref ? beacon.strings[ref - 1] : "") });
      return reply(204, "text/plain");
    }
    if (!(pathname in pages)) return reply(404, "text/plain", "");
    // A large budget: a machine that is busy must not make the SDK shed what a test waits for.
    const tag = '<script async crossorigin src="/sdk/vitrace.js" data-app="shop" data-endpoint="/" data-flush-interval-ms="300" data-budget-ms="1e6" data-budget-us="1e6"></script>';
    reply(200, "text/html", `<!doctype html><title>page</title><link rel="icon" href="data:,">${tag}<body>${pages[pathname]}`, searchParams.has("isolated") ? ISOLATION : {});
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

/** `work` gets the browser, the origin of the pages, and how to wait for a record: record("clickPatterns", accept). */
export async function withPages(pages, work) {
  // Of the conformance corpus, which needs a browser too.
  const puppeteer = createRequire(join(top, "tests/conformance/package.json"))("puppeteer-core");
  const beacons = [];
  const server = await openSite(pages, beacons);
  const profile = mkdtempSync(join(tmpdir(), "vitrace-page-"));
  const browser = await puppeteer.launch({ executablePath: findChromium(), ignoreDefaultArgs: true, args: [...FLAGS, `--user-data-dir=${profile}`, "about:blank"] });
  const records = (list) => beacons.flatMap(({ beacon, text }) => beacon[list].map((record) => ({ record, text })));
  const record = async (list, accept = () => true, ms = 15_000) => {
    for (const end = Date.now() + ms; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 50))) {
      const found = records(list).find(({ record, text }) => accept(record, text));
      if (found) return found;
    }
    throw new Error(`no such record of ${list} among ${JSON.stringify(records(list).map(({ record }) => record))}`);
  };
  try {
    return await work({ browser, origin: `http://127.0.0.1:${server.address().port}`, beacons, records, record });
  } finally {
    await browser.close();
    server.close();
    server.closeAllConnections();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The page, when the SDK runs in it. */
export async function openRunning(browser, url) {
  const page = await browser.newPage();
  await page.goto(url, { waitUntil: "load" });
  await page.waitForFunction(() => window.vitrace?.stats().state === "running", { timeout: 15_000 });
  return page;
}
