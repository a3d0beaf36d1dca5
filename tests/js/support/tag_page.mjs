// A page whose tag has attributes of the test's choice, in headless Chromium, and what it asks for and sends.
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

const folders = (process.env.PATH ?? "").split(delimiter);
export const chromium = process.env.CHROMIUM ?? ["chromium", "chromium-browser", "google-chrome"].flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);

/** Why there is nothing to test with, or false. */
export const missing = !existsSync(join(dist, "vitrace.wasm")) ? "js-glue/dist is not built" : !chromium && "there is no Chromium";

export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** True as soon as `accept` is. */
export async function becomes(accept, ms = 15_000) {
  for (const end = Date.now() + ms; Date.now() < end; await wait(50)) if (await accept()) return true;
  return false;
}

/** `open(attributes, head)`: a page of its own, with the paths that it asked for and the beacons that came from it. */
export async function withTagPages(work) {
  const puppeteer = createRequire(join(top, "tests/conformance/package.json"))("puppeteer-core");
  const Beacon = (await protobuf.load(join(top, "proto/vitrace/v1/beacon.proto"))).lookupType("vitrace.v1.Beacon");
  const sites = [];
  const server = http.createServer(async (request, response) => {
    const [, number, ...rest] = new URL(request.url, "http://site").pathname.split("/");
    const site = sites[number];
    const path = rest.join("/");
    site?.asked.push(path);
    const reply = (status, type, body) => response.writeHead(status, { "Content-Type": type, "Cache-Control": "no-cache" }).end(body);
    if (path.startsWith("sdk/")) return reply(200, TYPES[extname(path)], readFileSync(join(dist, path.slice(4))));
    if (path === "v1/beacon") {
      const parts = [];
      for await (const part of request) parts.push(part);
      site.beacons.push(Beacon.decode(unpacked(Buffer.concat(parts))));
      return reply(204, "text/plain");
    }
    if (path !== "page") return reply(200, "text/html", "<!doctype html><title>elsewhere</title>");
    // Time is metered by the wall clock: on a busy machine the SDK would shed what a test looks for.
    const budget = site.attributes.includes("budget") ? "" : 'data-budget-ms="1e6" data-budget-us="1e6"';
    reply(200, "text/html", `<!doctype html><title>page</title><link rel="icon" href="data:,">${site.head}
      <script async src="/${number}/sdk/vitrace.js" data-app="shop" data-endpoint="/${number}" data-flush-interval-ms="300" ${budget} ${site.attributes}></script><h1>Page</h1>`);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const profile = mkdtempSync(join(tmpdir(), "vitrace-tag-"));
  const browser = await puppeteer.launch({ executablePath: chromium, headless: true, userDataDir: profile, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    await work(async (attributes, head = "") => {
      const site = { attributes, head, asked: [], beacons: [] };
      const number = sites.push(site) - 1;
      // A context of its own: nothing is stored, and no page of another test is in the foreground instead.
      const context = await browser.createBrowserContext();
      const page = await context.newPage();
      await page.goto(`${origin}/${number}/page`, { waitUntil: "load" });
      await becomes(() => page.evaluate(() => !!window.vitrace?.stats));
      const stored = () => page.evaluate(() => sessionStorage.length + localStorage.length);
      const leave = () => page.goto(`${origin}/${number}/elsewhere`, { waitUntil: "load" });
      const state = () => page.evaluate(() => window.vitrace.stats().state);
      return { ...site, page, stored, leave, state, close: () => context.close() };
    });
  } finally {
    await browser.close();
    server.close();
    server.closeAllConnections();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
