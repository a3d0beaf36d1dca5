// Entries that only a real browser makes: element timing, memory of an isolated page, clicks of a person.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/bundle.mjs";
import { noChromium, openRunning, withPages } from "./support/chromium.mjs";

const { ClickPatternType, LossReason } = await load("abi");
const skip = noChromium();
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const PAGES = {
  "/plain": `<h1 elementtiming="title">A title</h1><img id="hero" class="big" elementtiming="hero" src="/image.svg?secret=1" width="300" height="200">`,
  "/unload": `<p>Not to be kept<script>addEventListener("unload", () => {})</script>`,
  "/clicks": `<style>button, .card { width: 200px; height: 60px } .card { cursor: pointer }</style>
    <button id="dead">Dead</button> <button id="alive" onclick="this.textContent += '!'">Alive</button>
    <button id="slow" onclick="fetch('/slow?ms=2000')">Slow</button> <button id="scrolls" onclick="window.scrollTo(0, 200)">Scrolls</button>
    <a id="link" href="/slow?ms=2000">A slow page</a> <a id="nowhere" href="#" onclick="return false">Nowhere</a>
    <div class="card">Looks like a button</div> <p id="text">Only some text to read</p> <select id="native"><option>1</select>
    <div style="height: 3000px"></div>`,
};

/** Where a first press, on text that nobody suspects, has brought the file that judges the next ones. */
async function openPressed(browser, url) {
  const page = await openRunning(browser, url);
  await page.click("#text");
  await page.waitForFunction(() => performance.getEntriesByType("resource").some(({ name }) => name.endsWith("/vitrace-extra.js")), { timeout: 15_000 });
  await wait(200);
  return page;
}

const dead = (selector) => (record, text) => record.type === ClickPatternType.DEAD && text(record.targetRef) === selector;

test("in Chromium", { skip, timeout: 120_000 }, (t) => withPages(PAGES, async ({ browser, origin, records, record, beacons }) => {
  // The browser answers with its own next garbage collection, so it is asked first and looked at last.
  const isolated = await openRunning(browser, origin + "/plain?isolated");
  await wait(1000);
  await t.test("an element that the page marks comes with identifier, size and selector, also from before the SDK", async () => {
    const page = await openRunning(browser, origin + "/plain");
    const { record: hero, text } = await record("elementTimings", (element, text) => text(element.identifierRef) === "hero");
    assert.deepEqual([text(hero.nameRef), text(hero.targetRef), text(hero.urlRef)], ["image-paint", "#hero", origin + "/image.svg"]);
    assert.equal(Number(hero.size), 60_000);
    assert.ok(Number(hero.startUs) > 0);
    const title = await record("elementTimings", (element, text) => text(element.identifierRef) === "title");
    assert.equal(title.text(title.record.nameRef), "text-paint");
    await page.close();
  });

  await t.test("a metric of the application comes with its exact value, unit and attributes", async () => {
    const page = await openRunning(browser, origin + "/plain");
    await page.evaluate(() => vitrace.metric("cart.value", 0.1 + 0.2, { unit: "EUR", items: 3 }));
    const { record: metric, text } = await record("customMetrics");
    assert.deepEqual([text(metric.nameRef), metric.value, text(metric.unitRef)], ["cart.value", 0.30000000000000004, "EUR"]);
    assert.deepEqual(metric.attributes.map(({ keyRef, number }) => [text(keyRef), number]), [["items", 3]]);
    await page.close();
  });

  await t.test("five clicks on one place are one rage click, also when the first of them asks for who judges them", async () => {
    const page = await openRunning(browser, origin + "/clicks");
    await page.click("#alive", { count: 5 });
    const { record: rage, text } = await record("clickPatterns", ({ type }) => type === ClickPatternType.RAGE);
    assert.deepEqual([rage.count, text(rage.targetRef)], [5, "#alive"]);
    assert.ok(Number(rage.durationUs) > 0);
    await page.close();
  });

  await t.test("two clicks, slow clicks and text that is selected by three are no rage", async () => {
    const before = records("clickPatterns").length;
    const page = await openRunning(browser, origin + "/clicks");
    await page.click("#alive", { count: 2 });
    await wait(1100);
    await page.click("#text", { count: 3 });
    await wait(1100);
    for (let i = 0; i < 3; i++) {
      await page.click("#alive");
      await wait(600);
    }
    await page.evaluate(() => vitrace.flush());
    await wait(1500);
    assert.equal(records("clickPatterns").length, before);
    await page.close();
  });

  await t.test("a button that nothing answers is a dead click, as is what only looks like one", async () => {
    const page = await openPressed(browser, origin + "/clicks");
    await page.click("#dead");
    await wait(1800);
    // The next click ends the wait for late requests.
    await page.click(".card");
    const first = await record("clickPatterns", dead("#dead"));
    assert.deepEqual([first.record.count, Number(first.record.durationUs)], [1, 0]);
    await wait(1800);
    await page.click("#nowhere");
    await record("clickPatterns", dead("html>body>div.card"));
    await wait(1800);
    await page.goto("about:blank");
    await record("clickPatterns", dead("#nowhere"));
    await page.close();
  });

  await t.test("what answers is not dead: a change, a scroll, a request that is still under way, a page", async () => {
    const before = records("clickPatterns").length;
    const page = await openPressed(browser, origin + "/clicks");
    // Each click ends the wait for the one before.
    for (const id of ["alive", "scrolls", "slow"]) {
      await page.click("#" + id);
      await wait(id === "slow" ? 2500 : 1700);
    }
    await page.click("#link");
    await page.waitForFunction(() => location.pathname === "/slow");
    await wait(500);
    assert.deepEqual(records("clickPatterns").slice(before).map(({ record, text }) => text(record.targetRef)), []);
    await page.close();
  });

  await t.test("a dead click that the visitor leaves for is told with the last beacon", async () => {
    const before = records("clickPatterns").length;
    const page = await openPressed(browser, origin + "/clicks");
    await page.click("#dead");
    await wait(1800);
    await page.goto("about:blank");
    const told = await record("clickPatterns", (one, text) => records("clickPatterns").length > before && dead("#dead")(one, text));
    assert.ok(told);
    await page.close();
  });

  await t.test("a page that could not be kept tells why", async () => {
    const page = await openRunning(browser, origin + "/unload");
    await page.goto(origin + "/plain");
    await page.goBack();
    const said = await page.evaluate(() => performance.getEntriesByType("navigation")[0].notRestoredReasons?.reasons.map(({ reason }) => reason));
    assert.ok(said?.length > 0, "the browser has reasons");
    const { text } = await record("notRestoredReasons");
    assert.deepEqual(records("notRestoredReasons").map(({ record }) => [text(record.reasonRef), record.urlRef, record.depth]), said.map((reason) => [reason, 0, 0]));
    await page.close();
  });

  await t.test("an isolated page is weighed, a plain one never asks", async () => {
    const { record: memory } = await record("memoryMeasurements", () => true, 40_000);
    assert.ok(Number(memory.bytes) > 0 && Number(memory.startUs) > 0);
    assert.ok(Number(memory.jsBytes) > 0 && Number(memory.jsBytes) <= Number(memory.bytes));
    const { beacon } = beacons.find(({ beacon }) => beacon.memoryMeasurements.length > 0);
    assert.equal(beacon.header.device.crossOriginIsolated, true);
    await isolated.close();
  });

  await t.test("no entry was lost", () => {
    assert.ok(beacons.length > 0);
    // A page that was left before its core had come is one of the test's, not one of its entries.
    for (const { beacon } of beacons) assert.deepEqual(beacon.ledger.losses.filter(({ reason }) => reason !== LossReason.PAGE_LEFT), []);
  });
}));
