// Walks the shop in Chromium, plain and isolated, and holds what the collector answers against what the backend itself
// recorded and what web-vitals measured in the same pages.
//   node check.mjs --plain URL --isolated URL --api URL
// Exit code: 0 all holds, 1 something does not, 2 the check could not run.
import { parseArgs } from "node:util";
import { openPage, withBrowser } from "./browser.mjs";
import { CollectorApi, poll, viewOfVisit } from "./collector_api.mjs";
import { printJudgements, printTable, printTotal, VIEW_TITLES, viewRow } from "./report.mjs";
import { readLedger } from "./shop_ledger.mjs";
import * as verdict from "./verdict.mjs";
import { walk } from "./walk.mjs";

// Spans arrive half a second after a request, beacons when the page is left; the rest is patience.
const SETTLE_SECONDS = 30;

// Reads the views of the visits until every request of the ledger is paired, or patience ends.
async function readJoined(api, visits, entries, base) {
  return poll(SETTLE_SECONDS, async () => {
    const views = await api.views("shop", visits[0].time_origin - 1000);
    const found = visits.map((visit) => viewOfVisit(views, visit));
    const details = await Promise.all(found.map((view) => view && api.view(view.view_id)));
    const { pairs, leftOver } = verdict.pairWithLedger(entries, details.filter(Boolean), base);
    const open = [...verdict.judgeLedger(pairs), ...verdict.judgeLeftOver(leftOver),
      ...visits.flatMap((visit, index) => (details[index] ? verdict.judgeVitals(visit, details[index]) : [visit.url]))];
    return { done: open.length === 0, details, pairs, leftOver };
  });
}

function judge(visits, { details, pairs, leftOver }, isolated) {
  const perView = (judgeOne) => visits.flatMap((visit, index) => (details[index] ? judgeOne(visit, details[index]) : []));
  const missing = visits.filter((_, index) => !details[index]).map((visit) => `${visit.url} has no view`);
  const cached = leftOver.length - verdict.judgeLeftOver(leftOver).length;
  return [
    [`each of the ${visits.length} pages visited is a view of the collector`, missing],
    [`each of the ${pairs.length} requests that the backend recorded is joined to the backend's own trace id`, verdict.judgeLedger(pairs)],
    [`no view claims a request that the backend did not serve (${cached} answers came from the browser's cache)`, verdict.judgeLeftOver(leftOver)],
    ["exact_parent where the page injects traceparent, exact_trace where it does not", verdict.judgeInjection(pairs)],
    ["LCP, INP, CLS, FCP and TTFB are the same doubles as web-vitals'", perView(verdict.judgeVitals)],
    ["every vital is derived again from its entries, and equal", perView(verdict.judgeVerified)],
    ["the clocks of browser and backend are known to be the same, within the error", perView(verdict.judgeClock)],
    ["no entry and no beacon was lost", perView(verdict.judgeLedgerOfView)],
    [`transport is the one of ${isolated ? "an isolated" : "a plain"} page`, perView((visit, detail) => verdict.judgeTransport(visit, detail, isolated))],
    ["the slow query is named", verdict.judgeSlowQuery(details.filter(Boolean))],
  ];
}

async function checkListener(api, base, isolated) {
  const before = (await readLedger(base)).length;
  console.log(`\n== ${isolated ? "isolated" : "plain"} shop, ${base}`);
  const visits = await withBrowser(async (browser) => walk(await openPage(browser), base));
  const entries = await readLedger(base, before);
  const joined = await readJoined(api, visits, entries, base);
  printTable(VIEW_TITLES, joined.details.filter(Boolean).map(viewRow));
  console.log();
  return printJudgements(judge(visits, joined, isolated));
}

async function main() {
  const { values } = parseArgs({ options: { plain: { type: "string" }, isolated: { type: "string" }, api: { type: "string" } } });
  const api = new CollectorApi(values.api);
  return printTotal([await checkListener(api, values.plain, false), await checkListener(api, values.isolated, true)]);
}

process.exitCode = await main().catch((error) => {
  console.error(`check: ${error.stack}`);
  return 2;
});
