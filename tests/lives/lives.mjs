// Many short lives of pages behind a bad road (front.mjs): closed, reloaded, left, hidden, offline for a while, killed. At the
// end the collector's statement of every view must be what the road saw, and nothing may be missing but what was killed or what
// the road itself dropped as the page went.
// Usage: node tests/lives/lives.mjs [--lives 60] [--long] [--seed 1] [--collector PATH]     Closes with "N passed, N failed".
import http from "node:http";
import { parseArgs } from "node:util";
import { setTimeout as pause } from "node:timers/promises";
import { withBrowser } from "../../demo-site/check/browser.mjs";
import { Collector } from "../pages/collector.mjs";
import { Front } from "./front.mjs";
import { randomOf } from "../support/random.mjs";

const { values } = parseArgs({ options: { lives: { type: "string", default: "60" }, long: { type: "boolean", default: false }, seed: { type: "string", default: "1" },
  collector: { type: "string", default: "build/release/vitrace" } } });
const LIVES = values.long ? 1000 : +values.lives;
const TABS = 5;
/** The API lists 500 views; a life makes up to four. */
const LIVES_PER_APP = 100;
const STEP_MS_MAX = 15_000;
const LINGER_MS_MAX = 2200;
const AFTERWARDS_SECONDS = 20;

const collector = await Collector.start(values.collector);
const front = await new Front(collector.beacons, randomOf(+values.seed * 7919)).start();
const site = http.createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://site");
  const [, app] = pathname.split("/");
  response.writeHead(200, { "Content-Type": "text/html" }).end(`<!doctype html><title>life</title><link rel="icon" href="data:,">` + (app.startsWith("lives")
    ? `<script async crossorigin src="${collector.beacons}/v1/vitrace.js" data-app="${app}" data-endpoint="${front.base}" data-offline
        data-flush-interval-ms="700"></script><h1>A life</h1><button id="act" onclick="this.after('done ')">act</button>` : "<p>elsewhere</p>"));
}).listen(0, "127.0.0.1");
await new Promise((resolve) => site.once("listening", resolve));
const base = `http://127.0.0.1:${site.address().port}`;

const told = { lives: 0, killed: 0, ends: {}, spells: 0, hides: 0, broken: 0 };

async function offline(session, isOffline) {
  await session.send("Network.emulateNetworkConditions", { offline: isOffline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
}

/** Something of everything that happens to a page. `killed` gets the address of a view that could not act. */
async function live(browser, random, number, killed) {
  const any = (...list) => list[Math.floor(random() * list.length)];
  const url = `${base}/lives${Math.floor(number / LIVES_PER_APP)}/${number}`;
  const page = await browser.newPage();
  page.setDefaultTimeout(STEP_MS_MAX);
  const session = await page.createCDPSession();
  await page.goto(url, { waitUntil: "load" });
  for (let step = 0; step < 1 + random() * 3; step++) {
    await pause(random() * LINGER_MS_MAX);
    await page.evaluate(`window.vitrace?.event("step", { step: ${step} })`);
    switch (any("act", "hide", "show", "offline", "flush")) {
      case "act": await page.evaluate("act.click()"); break;
      case "flush": await page.evaluate("window.vitrace?.flush?.()"); break;
      // Five tabs share a window: whoever comes to the front hides another.
      case "hide": case "show": told.hides++; await page.bringToFront(); break;
      case "offline":
        told.spells++;
        await offline(session, true);
        await pause(random() * 800);
        await offline(session, false);
    }
  }
  const end = random() < 0.05 ? "killed" : any("closed", "closed", "reloaded", "left", "gone on", "closed offline");
  told.ends[end] = (told.ends[end] ?? 0) + 1;
  switch (end) {
    case "killed":
      killed.add(url);
      // A dead page answers nothing.
      session.send("Page.crash").catch(() => {});
      await pause(200);
      break;
    case "reloaded": await page.reload({ waitUntil: "load" }); await pause(random() * 800); break;
    case "left": await page.goto(`${base}/blank`); await pause(200); break;
    case "gone on": await page.goto(`${url}/next`, { waitUntil: "load" }); await pause(random() * 800); break;
    case "closed offline": await offline(session, true); break;
  }
  await page.close();
  if (end === "closed offline") killed.add(url + " offline");
}

async function statements() {
  const apps = Array.from({ length: Math.ceil(LIVES / LIVES_PER_APP) }, (_, i) => `lives${i}`);
  return (await Promise.all(apps.map((app) => collector.views(app).catch(() => [])))).flat();
}

let passed = 0, failed = 0;
function check(sentence, problems) {
  problems.length ? failed++ : passed++;
  console.log(`${problems.length ? "FAIL" : "ok  "} ${sentence}${problems.length ? `: ${problems.length}, as ${problems.slice(0, 5).join("; ")}` : ""}`);
}

/** Why a number that the page told of is not here; "" when nothing explains it. */
function reasonOf(seen, seq, isKilled, isOffline) {
  const beacon = seen?.get(seq);
  if (beacon) return beacon.stored ? "" : "dropped on the road";
  return isKilled ? "killed" : isOffline ? "offline at the end" : "";
}

function judge(views, killed) {
  const byReason = {}, problems = { balance: [], received: [], duplicate: [], lost: [] }, sum = { claimed: 0, received: 0, duplicate: 0, lost: 0, dropped: 0 };
  for (const { view_id, url, delivery } of views) {
    for (const key of Object.keys(sum)) sum[key] += delivery[key];
    const seen = front.beacons.get(view_id), stored = [...(seen?.values() ?? [])].filter((one) => one.stored);
    const name = `${view_id.slice(0, 8)} ${JSON.stringify(delivery)}`;
    const again = stored.reduce((all, one) => all + one.stored - 1, 0);
    if (delivery.claimed !== delivery.received + delivery.lost) problems.balance.push(name);
    if (delivery.received !== stored.length) problems.received.push(`${name}, the road saw ${stored.length}`);
    if (delivery.duplicate !== again) problems.duplicate.push(`${name}, the road saw ${again}`);
    if (!delivery.lost) continue;
    const missing = Array.from({ length: delivery.claimed + delivery.dropped }, (_, seq) => seq).filter((seq) => !seen?.get(seq)?.stored).slice(0, delivery.lost);
    for (const seq of missing) {
      const reason = reasonOf(seen, seq, killed.has(url), killed.has(url + " offline"));
      byReason[reason || "unexplained"] = (byReason[reason || "unexplained"] ?? 0) + 1;
      if (!reason) problems.lost.push(`${name}, number ${seq} of ${url}`);
    }
  }
  const lastWords = [...front.beacons.entries()].flatMap(([, seen]) => [...seen.values()].filter((one) => !one.stored)).length;
  console.log(`     ${told.lives} lives, ${views.length} views, ends ${JSON.stringify(told.ends)}, ${told.hides} hides, ${told.spells} offline spells; ${told.broken} broke in the test`);
  console.log(`     the road: ${JSON.stringify(front.requests)}, ${lastWords} beacons never got through it`);
  console.log(`     the collector: ${JSON.stringify(sum)}; lost because ${JSON.stringify(byReason)}`);
  check("every view's statement balances: claimed = received + lost", problems.balance);
  check("what the collector says it received is what the road saw it take", problems.received);
  check("duplicates are counted, each once", problems.duplicate);
  check("nothing is lost without a reason that lies outside the page", problems.lost);
  check("no view is stored that the road has not seen, and none is missing that it has", [
    ...views.filter(({ view_id }) => !front.beacons.has(view_id)).map(({ view_id }) => view_id),
    ...[...front.beacons].filter(([id, seen]) => [...seen.values()].some((one) => one.stored) && !views.some(({ view_id }) => view_id === id)).map(([id]) => id),
  ]);
  check("the lives were what they should be", told.lives >= LIVES * 0.95 && front.unread === 0 ? [] : [`${told.lives} lives, ${front.unread} bodies unread`]);
}

const killed = new Set();
await withBrowser(async (browser) => {
  let next = 0;
  const tab = async () => {
    for (let number = next++; number < LIVES; number = next++) {
      try {
        await live(browser, randomOf(+values.seed * 100_003 + number), number, killed);
        told.lives++;
      } catch (error) {
        told.broken++;
        killed.add(`${base}/lives${Math.floor(number / LIVES_PER_APP)}/${number}`);
        console.log(`     life ${number} broke: ${error.message.split("\n")[0]}`);
      }
    }
  };
  await Promise.all(Array.from({ length: TABS }, tab));
  // What was kept for later gets its chance: the road is mended, and the visitor comes once more.
  front.isBad = false;
  const page = await browser.newPage();
  await page.goto(`${base}/lives0/afterwards`, { waitUntil: "load" });
  await pause(5000);
  await page.close();
});
const lostOf = (views) => views.reduce((all, view) => all + view.delivery.lost, 0);
let before = -1;
const views = await collector.until(AFTERWARDS_SECONDS, statements, (found) => {
  const is = found.length * 1e6 + lostOf(found), isStill = is === before;
  before = is;
  return isStill;
});
judge(views, killed);
front.stop();
site.close();
site.closeAllConnections();
await collector.stop();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
