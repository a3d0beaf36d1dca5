// How what a page has seen leaves it, in headless Chromium against a listening collector: policies that refuse Wasm or
// workers, a dying page, the back/forward cache, no network. Needs js-glue/dist, and npm ci in demo-site and tests/js.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, test } from "node:test";
import { top } from "../js/support/bundle.mjs";
import { openSite } from "./site.mjs";

const puppeteer = createRequire(join(top, "demo-site/package.json"))("puppeteer-core");
const NAMES = ["chromium", "chromium-browser", "google-chrome"];
const chromium = process.env.CHROMIUM ?? NAMES.flatMap((name) => process.env.PATH.split(delimiter).map((folder) => join(folder, name))).find(existsSync);
const options = { skip: chromium ? false : "no Chromium in PATH; set CHROMIUM", timeout: 60_000 };
const NO_WASM = "default-src 'none'; script-src COLLECTOR; connect-src COLLECTOR; img-src data:";
const OWN_WORKER = 'data-worker-url="/own/vitrace-worker.js"';

let site;
let browser;
const profile = mkdtempSync(join(tmpdir(), "vitrace-ways-"));
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

before(async () => {
  if (!chromium) return;
  site = await openSite();
  const args = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
  browser = await puppeteer.launch({ executablePath: chromium, headless: true, userDataDir: profile, args });
});
after(async () => {
  await browser?.close();
  site?.close();
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
});

/** Until it is true, or ten seconds are over. */
async function until(condition, what) {
  for (let n = 0; n < 100; n++) {
    if (await condition()) return;
    await wait(100);
  }
  assert.fail("never happened: " + what);
}

const stats = (page) => page.evaluate(() => vitrace.stats());

/** A page that runs, and every error that it has seen. */
async function open(t, app, more = {}) {
  const context = await browser.createBrowserContext();
  t.after(() => context.close());
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(site.pageUrl(app, more));
  return { page, errors, received: site.received(app) };
}

async function openRunning(t, app, transport, more) {
  const opened = await open(t, app, more);
  await until(async () => (await stats(opened.page)).state === "running", "running");
  const { transport: chosen, reason } = await stats(opened.page);
  assert.deepEqual([chosen, reason], [transport, ""]);
  return opened;
}

async function work(page, count, from = 0) {
  await page.evaluate((n, first) => { for (let i = 0; i < n; i++) vitrace.event("step " + (first + i), { text: "x".repeat(80) }); }, count, from);
}

async function leave(page) {
  await page.goto(site.byeUrl);
}

/** Everything of one view is there: no number is missing, the last word was said, all events were encoded. */
async function expectWhole(received, events) {
  await until(async () => (await received.views()).some((view) => view.final && view.missing === 0 && view.entries >= events), "the whole view");
  const views = await received.views();
  assert.equal(views.length, 1);
  assert.equal((await received.beacons()).reduce((sum, beacon) => sum + beacon.customEvents.length, 0), events);
}

test("a policy without wasm-unsafe-eval, a worker of the page's origin: it runs the core", options, async (t) => {
  const { page, errors, received } = await openRunning(t, "own-worker", "worker", { csp: NO_WASM + "; worker-src 'self'", attributes: OWN_WORKER });
  await work(page, 20);
  await page.evaluate(() => vitrace.flush());
  await until(() => received.plain.length > 0, "a beacon of the worker");
  await until(async () => (await stats(page)).entriesEncoded >= 20, "the worker's numbers");
  const { vitals, segmentsSent } = await stats(page);
  assert.ok(vitals.fcp > 0 && segmentsSent > 0);
  assert.deepEqual([received.raw.length, received.plain.every(({ header }) => header.transport === 4)], [0, true]);
  await work(page, 5, 20);
  await leave(page);
  await expectWhole(received, 25);
  assert.deepEqual(errors, []);
});

test("the same page left before the worker is done: the collector gets the bodies, and the same beacons from both", options, async (t) => {
  const { page, received } = await openRunning(t, "own-worker-left", "worker", { csp: NO_WASM + "; worker-src 'self'", attributes: OWN_WORKER });
  received.answers = 503;
  await work(page, 10);
  await page.evaluate(() => vitrace.flush());
  await wait(500);
  received.answers = 204;
  await leave(page);
  await until(() => received.raw.length > 0, "a raw body");
  assert.equal(received.raw[0].seq, 0);
  await expectWhole(received, 10);
});

test("no worker either: the collector gets the raw inbox, while the page lives and when it is left", options, async (t) => {
  const { page, errors, received } = await openRunning(t, "raw", "raw", { csp: NO_WASM });
  await work(page, 20);
  await page.evaluate(() => vitrace.flush());
  await until(() => received.raw.length > 0, "a raw body");
  await work(page, 5, 20);
  await leave(page);
  await until(() => received.raw.length > 1, "the last raw body");
  assert.equal(received.plain.length, 0);
  await expectWhole(received, 25);
  const [view] = await received.views();
  assert.ok(view.vitals.has(4), "the collector's core knows the FCP");
  assert.deepEqual(errors, []);
});

test("worker-src 'none' and no Wasm: the raw inbox, although a worker is there", options, async (t) => {
  const { page, errors, received } = await openRunning(t, "no-worker", "raw", { csp: NO_WASM + "; worker-src 'none'", attributes: OWN_WORKER });
  await work(page, 3);
  await leave(page);
  await expectWhole(received, 3);
  assert.deepEqual(errors, []);
});

test("worker-src 'none' with Wasm: the page sends by itself", options, async (t) => {
  const { page, errors, received } = await openRunning(t, "main", "main", { csp: NO_WASM.replace("COLLECTOR;", "COLLECTOR 'wasm-unsafe-eval';") + "; worker-src 'none'" });
  await work(page, 3);
  await leave(page);
  await expectWhole(received, 3);
  assert.deepEqual(errors, []);
});

test("no connection to the collector is allowed: the SDK stops quietly and says why", options, async (t) => {
  const { page, errors } = await open(t, "blocked", { csp: NO_WASM.replace("connect-src COLLECTOR", "connect-src 'none'") });
  await until(async () => (await stats(page)).state === "disabled", "disabled");
  assert.match((await stats(page)).reason, /cannot load the core/);
  await work(page, 3);
  await leave(page);
  assert.deepEqual(errors, []);
});

test("a blocker that only knows the beacon's address: nothing is thrown, and what is not sent is counted", options, async (t) => {
  const csp = "script-src COLLECTOR 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'";
  const attributes = `${OWN_WORKER} data-wasm-url="/own/vitrace.wasm"`;
  const { page, errors, received } = await open(t, "ad-blocked", { csp, attributes: attributes + ' data-transport="main"' });
  await until(async () => (await stats(page)).state === "running", "running");
  await work(page, 3);
  await page.evaluate(() => vitrace.flush());
  await wait(1500);
  const { segmentsSealed, segmentsSent, state } = await stats(page);
  assert.ok(segmentsSealed > 0);
  assert.deepEqual([segmentsSent, state, received.plain.length], [0, "running", 0]);
  await leave(page);
  assert.deepEqual(errors, []);
});

test("a collector that refuses raw bodies: the SDK stops, and counts them", options, async (t) => {
  site.received("refused").answers = 403;
  const { page, errors } = await open(t, "refused", { csp: NO_WASM });
  await until(async () => (await stats(page)).state === "disabled", "disabled");
  const { segmentsAbandoned, reason } = await stats(page);
  assert.ok(segmentsAbandoned > 0);
  assert.match(reason, /refuses/);
  assert.deepEqual(errors, []);
});

test("an app's name that no collector would take: the core of the worker says so", options, async (t) => {
  const { page, errors } = await open(t, "Not-An-App", { csp: NO_WASM + "; worker-src 'self'", attributes: OWN_WORKER });
  await until(async () => (await stats(page)).state === "disabled", "disabled");
  assert.match((await stats(page)).reason, /refused a call/);
  assert.deepEqual(errors, []);
});

test("beacons are packed: by the worker, and by the page when it is left", options, async (t) => {
  const { page, received } = await openRunning(t, "packed", "transfer");
  await work(page, 100);
  await page.evaluate(() => vitrace.flush());
  await until(() => received.zipped > 0, "a packed beacon");
  assert.equal(received.packed, 0);
  await work(page, 20, 100);
  await leave(page);
  await expectWhole(received, 120);
  assert.ok(received.packed > 0, "the page itself packs what it sends when it is left");
});

/** Of the main frame, as after a crash of the machine under it. */
async function crash(page) {
  const session = await page.createCDPSession();
  const crashed = new Promise((resolve) => page.once("error", resolve));
  session.send("Page.crash").catch(() => {});
  await crashed;
}

for (const [name, more] of [["plain", {}], ["isolated", { isolated: "1" }]]) {
  test(`a ${name} page that crashes has said its vitals so far, once`, options, async (t) => {
    const { page, received } = await openRunning(t, "crash-" + name, more.isolated ? "shared" : "transfer", more);
    await until(async () => (await stats(page)).vitals.fcp > 0, "a vital");
    await wait(2500);
    await crash(page);
    await until(() => received.snapshots().length > 0, "the snapshot");
    await wait(500);
    const [{ vitals, header, ledger }, ...others] = received.snapshots();
    assert.deepEqual([others.length, header.app, ledger.final], [0, "crash-" + name, false]);
    assert.ok(vitals.some(({ metric, value }) => metric === 4 && value > 0));
  });
}

for (const [name, end] of [["navigates away", leave], ["is closed", (page) => page.close({ runBeforeUnload: true })]]) {
  test(`a page that ${name} sends its real beacons and no snapshot`, options, async (t) => {
    const { page, received } = await openRunning(t, "no-snapshot-" + name.replace(" ", "-"), "transfer");
    await until(async () => (await stats(page)).vitals.fcp > 0, "a vital");
    await work(page, 3);
    await wait(2500);
    await end(page);
    await expectWhole(received, 3);
    await wait(1000);
    assert.equal(received.snapshots().length, 0);
  });
}

for (const [name, transport, more] of [["plain", "transfer", {}], ["isolated", "shared", { isolated: "1" }], ["refusing", "worker", { csp: NO_WASM + "; worker-src 'self'", attributes: OWN_WORKER }]]) {
  test(`a ${name} page comes back from the back/forward cache: same worker, a new view, nothing lost`, options, async (t) => {
    const { page, errors, received } = await openRunning(t, "bfcache-" + name, transport, more);
    await page.evaluate(() => (window.alive = true));
    await work(page, 5);
    await leave(page);
    await page.goBack();
    assert.equal(await page.evaluate(() => window.alive), true, "it was the cached page");
    await work(page, 7, 5);
    await page.evaluate(() => vitrace.flush());
    const before = received.plain.length;
    await until(async () => (await received.views()).length === 2, "the second view");
    assert.ok(transport !== "worker" || received.plain.length >= before, "its worker still sends");
    await work(page, 2, 12);
    await leave(page);
    await until(async () => (await received.views()).every((view) => view.final && view.missing === 0), "both views whole");
    const views = await received.views();
    assert.deepEqual(views.map((view) => view.entries).sort(), [5, 9]);
    assert.deepEqual(views.map((view) => view.type).sort(), [1, 4]);
    assert.deepEqual(errors, []);
  });
}

/** The browser's tools can cut off neither a worker nor a page that is being left: they are told, and the collector hangs up. */
async function setOffline(page, received, offline) {
  received.answers = offline ? 0 : 204;
  for (const worker of [page, ...page.workers()]) {
    await worker.evaluate((value) => void Object.defineProperty(navigator, "onLine", { configurable: true, value }), !offline);
  }
  await page.setOfflineMode(offline);
}

test("without a network beacons are kept, and leave with the next page", options, async (t) => {
  const { page, errors, received } = await openRunning(t, "offline", "transfer", { attributes: "data-offline" });
  await until(() => received.plain.length > 0, "the first beacon");
  await setOffline(page, received, true);
  await work(page, 5);
  await page.evaluate(() => vitrace.flush());
  await until(async () => (await stats(page)).segmentsSent === 2, "kept");
  const withEvents = async () => (await received.beacons()).some((beacon) => beacon.customEvents.length);
  assert.equal(await withEvents(), false);
  await setOffline(page, received, false);
  await until(async () => (await received.beacons()).some((beacon) => beacon.customEvents.length === 5), "the beacon that was kept");
  await leave(page);
  await expectWhole(received, 5);
  assert.deepEqual(errors, []);
});

test("a page that is left without a network keeps its last words for the next page", options, async (t) => {
  const { page, received } = await openRunning(t, "offline-left", "transfer", { attributes: "data-offline" });
  await until(() => received.plain.length > 0, "the first beacon");
  await setOffline(page, received, true);
  await work(page, 5);
  await page.goto("about:blank");
  await wait(500);
  assert.equal((await received.beacons()).some((beacon) => beacon.customEvents.length), false);
  await setOffline(page, received, false);
  await page.goto(site.pageUrl("offline-left", { attributes: "data-offline" }));
  await until(async () => (await received.views()).some((view) => view.final && view.missing === 0 && view.entries === 5), "the first page's last words");
});

test("at most 64 beacons are kept: the oldest goes, and is counted", options, async (t) => {
  const { page, received } = await openRunning(t, "offline-full", "main", { attributes: 'data-offline data-transport="main"' });
  await until(() => received.plain.length > 0, "the first beacon");
  await setOffline(page, received, true);
  for (let n = 0; n < 68; n++) {
    await work(page, 1, n);
    await page.evaluate(() => vitrace.flush());
    await until(async () => (await stats(page)).segmentsSent >= n + 2, "kept");
  }
  assert.equal((await stats(page)).lost.offline_full, 4);
  await setOffline(page, received, false);
  await until(async () => (await received.beacons()).reduce((sum, beacon) => sum + beacon.customEvents.length, 0) === 64, "all that were kept");
});

test("a session that sampling leaves out sends no raw body", options, async (t) => {
  const { page, received } = await open(t, "sampled-out", { csp: NO_WASM, attributes: 'data-sample-rate="0"' });
  await until(async () => (await stats(page)).state === "disabled", "disabled");
  assert.match((await stats(page)).reason, /sampling/);
  await leave(page);
  await wait(500);
  assert.deepEqual([received.raw.length, received.plain.length], [0, 0]);
});

for (const [transport, more] of [["raw", { csp: NO_WASM }], ["worker", { csp: NO_WASM + "; worker-src 'self'", attributes: OWN_WORKER }]]) {
  test(`without consent nothing leaves a page that refuses Wasm (${transport})`, options, async (t) => {
    const { page, received } = await openRunning(t, "consent-" + transport, transport, more);
    await work(page, 3);
    await page.evaluate(() => vitrace.consent(false));
    await work(page, 4, 3);
    await leave(page);
    await wait(1000);
    assert.equal((await received.beacons()).reduce((sum, beacon) => sum + beacon.customEvents.length, 0), 0);
  });
}

test("storage that refuses is only counted", options, async (t) => {
  const context = await browser.createBrowserContext();
  t.after(() => context.close());
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.evaluateOnNewDocument(() => {
    IDBFactory.prototype.open = () => { throw new DOMException("no", "SecurityError"); };
  });
  await page.goto(site.pageUrl("no-storage", { attributes: "data-offline" }));
  await until(async () => (await stats(page)).state === "running", "running");
  await setOffline(page, site.received("no-storage"), true);
  await work(page, 5);
  await page.evaluate(() => vitrace.flush());
  await until(async () => (await stats(page)).segmentsSealed > 0, "sealed");
  await wait(1000);
  assert.equal((await stats(page)).state, "running");
  assert.deepEqual(errors, []);
});
