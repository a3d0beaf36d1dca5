// What application and visitor allow, in a real page: consent, sampling, the flight recorder, the budget, the stub queue.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/bundle.mjs";
import { becomes, missing, wait, withTagPages } from "./support/tag_page.mjs";

const { LossReason } = await load("abi");
const TRIGGER = { ERROR: 3, API: 5 };
const STUB = (...calls) => `<script>window.vitrace = window.vitrace || { q: [] }; vitrace.q.push(${calls.map((call) => JSON.stringify(call)).join()})</script>`;
/** Longer than everything that the SDK does by itself: the second until it loads, the batch, the first seal. */
const QUIET_MS = 4500;

const names = (beacons) => beacons.flatMap((beacon) => beacon.customEvents.map(({ nameRef }) => beacon.strings[nameRef - 1]));
const lost = (beacon, reason) => beacon.ledger.losses.find((loss) => loss.reason === reason)?.count ?? 0;

test("in Chromium", { skip: missing, timeout: 180_000 }, () => withTagPages(async (open) => {
  // At the same time, as most of it is waiting.
  await Promise.all([
    (async () => {
      const { page, asked, beacons, stored, leave, state, close } = await open('data-consent="required"', STUB(["event", "early"]));
      await wait(QUIET_MS);
      assert.deepEqual([asked, beacons, await stored(), await state()], [["page", "sdk/vitrace.js"], [], 0, "waiting"], "before the decision");
      await page.evaluate(() => vitrace.consent(true));
      assert.ok(await becomes(() => beacons.length > 0), "after consent");
      await leave();
      assert.ok(names(beacons).includes("early"), "what was seen before is sent with it");
      await close();
    })(),
    (async () => {
      const { page, asked, beacons, stored, leave, state, close } = await open('data-consent="required"', STUB(["event", "early"]));
      await page.evaluate(() => vitrace.consent(false));
      await wait(QUIET_MS);
      assert.equal(await state(), "stopped");
      await page.evaluate(() => vitrace.consent(true));
      assert.equal(await stored(), 0);
      await leave();
      await wait(500);
      assert.deepEqual([asked.filter((path) => path !== "elsewhere"), beacons, await stored()], [["page", "sdk/vitrace.js"], [], 0], "after a refusal");
      await close();
    })(),
    (async () => {
      const { page, beacons, leave, state, close } = await open("");
      assert.ok(await becomes(async () => (await state()) === "running" && beacons.length > 0), "running");
      await page.evaluate(() => { vitrace.event("before"); vitrace.consent(false); vitrace.event("after"); });
      const { lost: counts } = await page.evaluate(() => vitrace.stats());
      await leave();
      await wait(500);
      assert.deepEqual(names(beacons), [], "consent that is withdrawn takes back what was not sent");
      assert.ok(counts.consent >= 2, JSON.stringify(counts));
      await close();
    })(),
    (async () => {
      const { page, beacons, leave, state, close } = await open('data-sample-rate="0"', STUB(["event", "early"]));
      assert.ok(await becomes(async () => (await state()) === "running"));
      await wait(QUIET_MS);
      assert.deepEqual(beacons, [], "a good page that is not sampled");
      await page.evaluate(() => vitrace.error(new Error("bad")));
      assert.ok(await becomes(() => beacons.length > 1), "an error sends what was recorded");
      assert.ok(names(beacons).includes("early"));
      for (const { header } of beacons) assert.deepEqual([header.trigger, header.sampleRatePpm], [TRIGGER.ERROR, 1]);
      assert.deepEqual(beacons.map(({ header }) => header.seq), beacons.map((_, seq) => seq));
      await leave();
      await close();
    })(),
    (async () => {
      const { page, beacons, leave, state, close } = await open('data-sample-rate="0"');
      assert.ok(await becomes(async () => (await state()) === "running"));
      await wait(QUIET_MS);
      await leave();
      await wait(500);
      assert.deepEqual(beacons, [], "a good page that is left");
      await page.goBack({ waitUntil: "load" });
      await close();
    })(),
    (async () => {
      const { beacons, state, close } = await open('data-sample-rate="0"', STUB(["record"], ["event", "early"]));
      assert.ok(await becomes(() => beacons.length > 0), "the application asked for it");
      assert.deepEqual([beacons[0].header.trigger, await state()], [TRIGGER.API, "running"]);
      await close();
    })(),
    (async () => {
      const { page, beacons, state, close } = await open('data-sample-rate="0" data-flight-recorder="false"');
      assert.ok(await becomes(async () => (await state()) === "running"));
      await page.evaluate(() => { vitrace.error(new Error("bad")); vitrace.record(); });
      await wait(QUIET_MS);
      const { lost: counts, entriesEncoded } = await page.evaluate(() => vitrace.stats());
      assert.deepEqual([beacons, entriesEncoded], [[], 0], "left out, and nothing recorded");
      assert.ok(counts.sampled_out > 0, JSON.stringify(counts));
      await close();
    })(),
    (async () => {
      const { page, beacons, state, close } = await open('data-budget-ms="0.001"');
      assert.ok(await becomes(async () => (await state()) === "disabled"), "over its budget");
      assert.ok(await becomes(() => beacons.some(({ ledger }) => ledger.budgetLevel === 4)), "the last ledger says so");
      const sent = beacons.length;
      await page.evaluate(() => vitrace.event("late"));
      await wait(1000);
      assert.equal(beacons.length, sent);
      assert.equal(lost(beacons.at(-1), LossReason.CONSENT), 0);
      await close();
    })(),
    (async () => {
      const { page, beacons, close } = await open("", STUB(["event", "first", { n: 1 }], ["nonsense"], ["event", "second"]));
      await page.evaluate(() => vitrace.q.push(["event", "third"]));
      await page.evaluate(() => vitrace.flush());
      assert.ok(await becomes(() => names(beacons).length === 3), "the stub's calls");
      assert.deepEqual(names(beacons), ["first", "second", "third"], "in order, and one that fails is no harm");
      await close();
    })(),
  ]);
}));
