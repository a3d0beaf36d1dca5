// The SDK in headless Chromium under a strict policy: what explain() says, the debug panel, route views. Needs js-glue/dist.
// The page allows no inline style, no eval, only scripts of its own origin, and requires Trusted Types; every violation of
// its policy and everything in its console is a failure. VITRACE_SCREENSHOTS=FOLDER keeps pictures of the panel.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { test } from "node:test";
import { top } from "./support/bundle.mjs";
import { chromium, missing } from "./support/tag_page.mjs";

const pictures = process.env.VITRACE_SCREENSHOTS;
const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm" };
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; img-src data:; worker-src 'self'; " +
  "require-trusted-types-for 'script'; trusted-types vitrace";
const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const WAIT_MS = 30_000;

// Runs in the page, before everything else.
function watchPage() {
  window.violations = [];
  document.addEventListener("securitypolicyviolation", (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
}

function answer(request, response) {
  const { pathname } = new URL(request.url, "http://page");
  const reply = (status, type, body, more = {}) => response.writeHead(status, { "Content-Type": type, ...more }).end(body);
  if (pathname.startsWith("/v1/") && extname(pathname)) return reply(200, TYPES[extname(pathname)], readFileSync(join(top, "js-glue/dist", pathname.slice(4))));
  if (pathname === "/v1/beacon") return request.resume().on("end", () => reply(204, "text/plain"));
  if (pathname === "/app.js") return reply(200, TYPES[".js"], "performance.mark('app'); fetch('/data?user=bob@example.org&tab=1');");
  if (pathname === "/data") return reply(200, "application/json", "{}", { "Server-Timing": `traceparent;desc="${TRACE}", db;dur=12.5` });
  reply(200, "text/html", `<!doctype html><html lang="en"><title>page</title><link rel="icon" href="data:,"><h1>A page</h1><p>of some text</p>
<button id="buy">buy</button><script async src="/v1/vitrace.js" data-app="check" data-views="route-change" data-routes="/shoes/*=/shoes/:slug"></script><script src="/app.js"></script></html>`,
    { "Content-Security-Policy": POLICY, "Server-Timing": `traceparent;desc="${TRACE}"` });
}

async function openPage(browser, url) {
  const page = await browser.newPage();
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("console", (message) => ["error", "warn"].includes(message.type()) && page.problems.push(message.text()));
  await page.evaluateOnNewDocument(watchPage);
  await page.goto(url);
  await page.waitForFunction(() => window.vitrace?.stats().state === "running", { timeout: WAIT_MS });
  return page;
}

const beaconsOf = async (page) => JSON.parse(await page.evaluate(async () => JSON.stringify((await window.vitrace.explain()).beacons)));
const all = (beacons, field) => beacons.flatMap(({ content }) => content[field] ?? []);

async function checkExplain(check, browser, origin) {
  const page = await openPage(browser, `${origin}/shoes/red?q=1`);
  await page.evaluate(() => {
    window.vitrace.event("greeted", { to: "bob@example.org", card: "4111 1111 1111 1111" });
    window.vitrace.error(new Error("token=hunter2 at https://a.example/x?secret=1"));
  });
  const beacons = await beaconsOf(page);
  const text = JSON.stringify(beacons);
  await check("explain() decodes beacons of the page", beacons.length > 0 && beacons.every(({ bytes }) => bytes > 100), beacons.length);
  await check("nothing personal is in them", !/bob@|4111|hunter2|secret=|q=1/.test(text), text.match(/.{30}(bob@|4111|hunter2|secret=|q=1).{30}/)?.[0]);
  await check("what was redacted says so", text.includes('"[email]"') && text.includes("token=[redacted]"), text.slice(-800));
  await check("the route is the pattern's", beacons[0]?.content.header.page.route === "/shoes/:slug", beacons[0]?.content.header.page);
  const later = await beaconsOf(page);
  await check("asked again, it still has what was sent before", later.length >= beacons.length && later[0].seq === beacons[0].seq, later.map(({ seq, state }) => [seq, state]));
  await check("no panel comes with it", !(await page.$("vitrace-debug")), "vitrace-debug");
  await check("the page's policy was never violated, and nothing was written to its console", !(await page.evaluate(() => window.violations.length)) && !page.problems.length,
    [await page.evaluate(() => window.violations), page.problems]);
  await page.close();
}

async function checkRoutes(check, browser, origin) {
  const page = await openPage(browser, `${origin}/`);
  await page.evaluate(() => window.vitrace.explain());
  await page.evaluate(() => {
    history.pushState({}, "", "/shoes/blue?x=1");
    history.replaceState({}, "", "/shoes/blue?x=2");
    window.vitrace.event("in the shop");
    history.pushState({}, "", "/cart");
    window.vitrace.route("/basket/:id");
  });
  const heads = (await beaconsOf(page)).map(({ view, content: { header } }) => ({ view, route: header.page.route, type: header.page.navigation_type, session: header.session_id }));
  const routes = [...new Map(heads.map((head) => [head.view, `${head.route} ${head.type.replace("NAVIGATION_TYPE_", "")}`])).values()];
  await check("each path is a view of its own, named by pattern, by default or by its router", routes.join() === "/ NAVIGATE,/shoes/:slug ROUTE_CHANGE,/basket/:id ROUTE_CHANGE", heads);
  await check("all of them are of one session", new Set(heads.map(({ session }) => session)).size === 1, heads);
  await check("history was not wrapped, because the browser tells", !(await page.evaluate(() => Object.hasOwn(history, "pushState"))), "own pushState");
  await page.close();
}

async function checkPanel(check, browser, origin) {
  const page = await openPage(browser, `${origin}/?vitrace-debug`);
  await page.setViewport({ width: 900, height: 760 });
  await page.waitForSelector("vitrace-debug", { timeout: WAIT_MS });
  await page.click("#buy");
  await page.evaluate(() => window.vitrace.event("opened"));
  await page.waitForFunction(() => window.vitrace.stats().segmentsSealed > 0, { timeout: WAIT_MS });
  await new Promise((resolve) => setTimeout(resolve, 1200));
  for (const scheme of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    if (pictures) await page.screenshot({ path: join(pictures, `panel-${scheme}.png`) });
  }
  const box = await page.$eval("vitrace-debug", (host) => host.getBoundingClientRect().toJSON());
  await check("the panel stands in the corner and leaves the page visible", box.right <= 900 && box.bottom <= 760 && box.width <= 400 && box.height > 100, box);
  // The shadow tree is closed to the page; the accessibility tree is what a reader of screens gets.
  const nodes = [];
  const walk = (node) => (nodes.push(`${node.role} ${node.name}`), node.children?.forEach(walk));
  walk(await page.accessibility.snapshot({ interestingOnly: false }));
  const has = (text) => nodes.some((node) => node.includes(text));
  await check("it is a region with named controls", ["region Vitrace", "button fold", "button close"].every(has), nodes.slice(0, 60));
  await check("it shows vitals with their rating, entries, joins and the ledger", ["LCP", "good", "resource", "joined", "main thread"].every(has), nodes);
  await page.mouse.click(box.left + 60, box.bottom - 20);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const own = all(await beaconsOf(page), "events").concat(all(await beaconsOf(page), "layout_shifts")).filter(({ target }) => /vitrace-debug/.test(target));
  await check("a click into it and its own movements are no entries of the page", !own.length, own);
  await check("the policy was never violated, nothing was written to the console", !(await page.evaluate(() => window.violations.length)) && !page.problems.length,
    [await page.evaluate(() => window.violations), page.problems]);
  await page.keyboard.press("Escape");
  const isClosed = await page.waitForFunction(() => !document.querySelector("vitrace-debug"), { timeout: WAIT_MS }).catch(() => false);
  await check("Escape closes it", isClosed, "still there");
  await page.close();
}

test("in Chromium", { skip: missing, timeout: 180_000 }, async (t) => {
  const puppeteer = createRequire(join(top, "tests/conformance/package.json"))("puppeteer-core");
  const check = (sentence, holds, seen) => t.test(sentence, () => assert.ok(holds, JSON.stringify(seen)));
  const server = http.createServer(answer);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const profile = mkdtempSync(join(tmpdir(), "vitrace-page-"));
  const browser = await puppeteer.launch({ executablePath: chromium, headless: true, userDataDir: profile, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    for (const part of [checkExplain, checkRoutes, checkPanel]) await part(check, browser, origin);
  } finally {
    await browser.close();
    server.close();
    server.closeAllConnections();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
});
