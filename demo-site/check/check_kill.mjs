// Kills the collector with SIGKILL while pages are sending, starts it again on the same data, and asks it for everything
// that it had acknowledged. Pages and backend talk to it through a witness that knows what was acknowledged.
//   node check_kill.mjs --shop URL --api URL --beacons URL --beacons-witness PORT --otlp URL --otlp-witness PORT -- COLLECTOR...
// Exit code: 0 all holds, 1 something does not, 2 the check could not run.
import { parseArgs } from "node:util";
import { AckWitness } from "./ack_witness.mjs";
import { openPage, withBrowser } from "./browser.mjs";
import { CollectorApi, poll } from "./collector_api.mjs";
import { CollectorProcess } from "./collector_process.mjs";
import { printJudgements, printTable, printTotal } from "./report.mjs";
import { hideAndShow, settled } from "./walk.mjs";

const DOWN_MS = 700;
const NEXT_BEACON_SECONDS = 30;
const SETTLE_SECONDS = 30;

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// When the kill comes, seen from a beacon. Each name is a promise that settles at that moment.
const MOMENTS = {
  "while a beacon is in flight": (witness) => new Promise((resolve) => { witness.onBeacon = resolve; }),
  "right after a beacon was acknowledged": async (witness) => {
    const before = witness.beacons.length;
    while (!witness.beacons.slice(before).some((beacon) => beacon.acked)) await wait(1);
  },
  "in a quiet moment": () => wait(1500),
};

async function buySomething(page, clicks) {
  for (let click = 0; click < clicks; click++) {
    await page.click("article:nth-child(2) button.buy");
    await wait(150);
  }
}

// One kill. Returns the row to print: the moment, and the first beacon of the same view acknowledged afterwards.
async function killOnce({ shop, page, witness, collector, moment }) {
  const seenBefore = witness.beacons.length;
  await page.goto(`${shop}/sale`, { waitUntil: "load" });
  await settled(page);
  await buySomething(page, 2);
  await hideAndShow(page); // a page that was shown and hidden has sent a first beacon
  await poll(5, () => ({ done: witness.beacons.length > seenBefore }));
  const reached = MOMENTS[moment](witness);
  await buySomething(page, 2);
  await hideAndShow(page);
  await Promise.race([reached, wait(NEXT_BEACON_SECONDS * 1000)]);
  await collector.kill();
  await buySomething(page, 1); // nobody listens now
  await wait(DOWN_MS);
  await collector.start();
  const restarted = Date.now();
  const views = new Set(witness.beacons.slice(seenBefore).map((beacon) => beacon.view_id));
  await buySomething(page, 2);
  await hideAndShow(page);
  const { next } = await poll(NEXT_BEACON_SECONDS, () => {
    const found = witness.beacons.find((beacon) => beacon.at >= restarted && beacon.acked && views.has(beacon.view_id));
    return { done: found !== undefined, next: found };
  });
  return { moment, next, after_ms: next ? next.at - restarted : undefined };
}

function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) groups.set(item[key], [...(groups.get(item[key]) ?? []), item]);
  return groups;
}

async function missingBeacons(api, beacons) {
  const missing = [];
  for (const [viewId, sent] of groupBy(beacons.filter((beacon) => beacon.acked), "view_id")) {
    const distinct = new Set(sent.map((beacon) => beacon.seq)).size;
    const received = (await api.view(viewId))?.ledger.beacons_received ?? 0;
    if (received < distinct) missing.push(`view ${viewId}: ${distinct} beacons were acknowledged, ${received} are there`);
  }
  return missing;
}

async function missingSpans(api, spans) {
  const missing = [];
  for (const [traceId, acked] of groupBy(spans, "trace_id")) {
    const known = new Set((await api.trace(traceId))?.spans.map((span) => span.span_id));
    const lost = acked.filter((span) => !known.has(span.span_id)).length;
    if (lost > 0) missing.push(`trace ${traceId}: ${lost} of ${acked.length} acknowledged spans are not there`);
  }
  return missing;
}

async function run(options, command) {
  const api = new CollectorApi(options.api);
  const collector = new CollectorProcess(command, options.api);
  const witness = new AckWitness(options.beacons), otlpWitness = new AckWitness(options.otlp);
  await witness.listen(Number(options["beacons-witness"]));
  await otlpWitness.listen(Number(options["otlp-witness"]));
  try {
    await collector.start();
    const rounds = await withBrowser(async (browser) => {
      const page = await openPage(browser), done = [];
      for (const moment of Object.keys(MOMENTS)) done.push(await killOnce({ shop: options.shop, page, witness, collector, moment }));
      await page.goto(`${options.shop}/_ready`);
      await wait(2000); // the last spans of the backend
      return done;
    });
    return await judge(api, rounds, witness, otlpWitness);
  } finally {
    await collector.stop();
    witness.close();
    otlpWitness.close();
  }
}

async function judge(api, rounds, witness, otlpWitness) {
  const acked = witness.beacons.filter((beacon) => beacon.acked);
  const { beacons, spans } = await poll(SETTLE_SECONDS, async () => {
    const found = { beacons: await missingBeacons(api, acked), spans: await missingSpans(api, otlpWitness.spans) };
    return { ...found, done: found.beacons.length + found.spans.length === 0 };
  });
  printTable(["killed", "next beacon of the page acknowledged after"],
    rounds.map(({ moment, next, after_ms }) => [moment, next ? `${after_ms} ms (seq ${next.seq})` : "never"]));
  console.log(`\n${witness.broken} requests of the page and ${otlpWitness.broken} of the backend found nobody or were cut\n`);
  return printTotal([printJudgements([
    [`there was something to lose: ${acked.length} beacons and ${otlpWitness.spans.length} spans were acknowledged`,
      acked.length > 0 && otlpWitness.spans.length > 0 ? [] : ["nothing was acknowledged"]],
    ["every acknowledged beacon is there after the kills", beacons],
    ["every acknowledged span is there after the kills", spans],
    ["the page's next beacons arrive after each kill", rounds.filter(({ next }) => !next).map(({ moment }) => `none after the kill ${moment}`)],
  ])]);
}

const OPTIONS = ["shop", "api", "beacons", "beacons-witness", "otlp", "otlp-witness"];
const { values, positionals } = parseArgs({
  options: Object.fromEntries(OPTIONS.map((name) => [name, { type: "string" }])), allowPositionals: true,
});
process.exitCode = await run(values, positionals).catch((error) => {
  console.error(`check_kill: ${error.stack}`);
  return 2;
});
