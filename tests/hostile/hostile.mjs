// Pages that break what they can: the page sees no error, its app goes on, the SDK's memory stays bounded, and the collector
// gets what is promised. Usage: node tests/hostile/hostile.mjs [--collector PATH] [--only WORDS]     "N passed, N failed".
// Needs js-glue/dist and the packages of demo-site.
import http from "node:http";
import { parseArgs } from "node:util";
import { setTimeout as pause } from "node:timers/promises";
import { withBrowser } from "../../demo-site/check/browser.mjs";
import { Collector } from "../pages/collector.mjs";
import { CASES } from "./cases.mjs";

const { values } = parseArgs({ options: { collector: { type: "string", default: "build/release/vitrace" }, only: { type: "string", default: "" } } });
const APP = "hostile";
const QUEUE_ITEMS_MAX = 2000;
/** What the SDK may keep alive beyond the core's memory: the queue at its limit is about 200 KB, the code about as much. */
const HEAP_BYTES_MAX = 3e6;
const RUN_MS_MAX = 8000;
const ARRIVE_SECONDS = 4;
/** What the browser itself says of a policy or a request that it refused. */
const BROWSERS_OWN = /Content Security Policy|Content-Security-Policy|Refused to|TrustedScript|Failed to load resource|blocked by/i;

const collector = await Collector.start(values.collector);
const slug = (name) => name.replace(/\W+/g, "-");

function document({ name, before = "", after = "", nonce = "", tagNonce = nonce, ...more }) {
  // The flood would end in the SDK turning itself off: here its memory is the question, not its time.
  const budget = more.heap ? ' data-budget-ms="100000"' : "";
  const endpoint = more.endpoint ? ` data-endpoint="${more.endpoint}"` : "";
  const at = (value) => (value ? ` nonce="${value}"` : "");
  return `<!doctype html><title>${name}</title><link rel="icon" href="data:,">
<script${at(nonce)}>{ ${before} }</script>
<script async crossorigin${at(tagNonce)} src="${collector.beacons}/v1/vitrace.js" data-app="${APP}" data-trace="same-origin"${endpoint}${budget}></script>
<h1>A shop</h1><img src="/pixel.gif" width="40" height="40"><p id="price"></p>
<script${at(nonce)}>{ ${after} }
  const request = new XMLHttpRequest();
  request.onload = () => (window.xhrDone = request.status === 200);
  request.open("GET", "/api");
  request.send();
  fetch("/api").then((response) => response.text()).then((text) => {
    price.textContent = text;
    const list = [];
    for (let i = 0; i < 3; i++) list[i] = i;
    window.appDone = list.length === 3 && price.textContent === "42";
  });
</script>`;
}

const byPath = new Map(CASES.map((one) => [`/${slug(one.name)}`, one]));
const server = http.createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://hostile");
  const page = byPath.get(pathname);
  const type = pathname.endsWith(".gif") ? "image/gif" : pathname === "/api" ? "text/plain" : "text/html";
  const csp = page?.csp ? { "Content-Security-Policy": page.csp.replaceAll("COLLECTOR", collector.beacons) } : {};
  response.writeHead(200, { "Content-Type": type, ...csp });
  response.end(page ? document(page) : pathname === "/api" ? "42" : pathname.endsWith(".gif") ? Buffer.from("R0lGODlhAQABAAAAACwAAAAAAQABAAA=", "base64") : "<!doctype html>blank");
}).listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));
const base = `http://127.0.0.1:${server.address().port}`;

let passed = 0, failed = 0;
function judge(name, problems) {
  problems.length ? failed++ : passed++;
  console.log(problems.length ? `FAIL ${name}: ${problems.join("; ")}` : `ok   ${name}`);
}

/** The SDK runs, or says that it will not. */
async function stateOf(page) {
  const ask = "window.vitrace ? window.vitrace.stats() : undefined";
  let stats;
  for (const end = performance.now() + RUN_MS_MAX; performance.now() < end; await pause(100)) {
    stats = await page.evaluate(ask);
    if (stats && stats.state !== "waiting") return stats;
  }
  return stats;
}

/** What stop() lets go of is what the SDK kept alive. */
async function retainedBytes(page) {
  const session = await page.createCDPSession();
  const used = async () => {
    await session.send("HeapProfiler.collectGarbage");
    return (await session.send("Runtime.getHeapUsage")).usedSize;
  };
  const held = await used();
  await page.evaluate("vitrace.stop(), delete window.vitrace, document.querySelectorAll('script[src]').forEach((one) => one.remove())");
  // It sends what was left.
  await pause(1000);
  return held - (await used());
}

async function blockRequests(page, patterns) {
  const session = await page.createCDPSession();
  await session.send("Network.enable");
  await session.send("Network.setBlockedURLs", { urls: patterns.map((pattern) => `*${pattern}*`) });
}

async function live(browser, one) {
  const page = await browser.newPage(), problems = [];
  const isOwn = (text) => one.own?.test(text) || BROWSERS_OWN.test(text);
  page.on("pageerror", (error) => isOwn(String(error?.message)) || problems.push(`the page saw: ${error?.message}`));
  page.on("console", (message) => ["error", "warn"].includes(message.type()) && !isOwn(message.text()) && problems.push(`console: ${message.text()}`));
  if (one.block) await blockRequests(page, one.block);
  const url = `${base}/${slug(one.name)}`;
  await page.goto(url, { waitUntil: "load" });
  const stats = one.refused ? await page.evaluate("window.vitrace && 'there'") : await stateOf(page);
  for (let i = 0; i < 40 && !(await page.evaluate("window.appDone === true && window.xhrDone === true")); i++) await pause(50);
  if (!(await page.evaluate("window.appDone === true && window.xhrDone === true"))) problems.push("the app does not work");
  // What fills the queue must have been through it: the last word would be one of those that are counted as lost.
  if (one.heap) await pause(3000);
  await page.evaluate(`window.vitrace && window.vitrace.event("last word")`);
  await pause(300);
  if (one.heap) {
    const queued = await page.evaluate("vitrace.stats().queued");
    if (queued > QUEUE_ITEMS_MAX) problems.push(`${queued} items queued`);
  }
  const kept = one.heap ? await retainedBytes(page) : 0;
  if (kept > HEAP_BYTES_MAX) problems.push(`the SDK kept ${kept} bytes alive`);
  const after = one.refused ? undefined : await page.evaluate("window.vitrace && window.vitrace.stats()");
  await page.goto(`${base}/blank`);
  await page.close();
  return { url, stats, after, problems };
}

async function arrivalOf(url) {
  const view = (await collector.views(APP)).find((one) => one.url === url);
  if (!view) return undefined;
  const { entries, ledger } = await collector.view(view.view_id);
  return { view, ledger, isWhole: entries.custom_events.some(({ name }) => name === "last word") };
}

const isWanted = (one) => ("arrives" in one ? one.arrives : !one.off && !one.refused);

function judgeArrival(one, { stats, after }, arrival, problems) {
  const wanted = isWanted(one);
  const say = `${stats?.state ?? stats}, ${stats?.reason ?? ""}`;
  if (wanted === true && !arrival?.isWhole) problems.push(`${arrival ? "the last word did not arrive" : "nothing arrived"} (${say})`);
  if (wanted === false && arrival) problems.push("something arrived");
  if (wanted === undefined && !one.nonsense && !arrival?.isWhole && stats?.state !== "disabled" && !stats?.reason && !after?.reason) problems.push(`nothing arrived, and it does not say why (${say})`);
  if (one.off && (stats?.state !== "disabled" || !stats.reason)) problems.push(`the SDK is not off: ${say}`);
  if (one.refused && stats) problems.push("there is an SDK");
  if (one.transport && arrival && arrival.view.transport !== one.transport) problems.push(`transport is ${arrival.view.transport}`);
  for (const reason of one.lost ?? []) if (!(arrival?.ledger.losses[reason] > 0)) problems.push(`no ${reason} was told`);
  if (arrival?.ledger.beacons_missing) problems.push(`${arrival.ledger.beacons_missing} beacons missing`);
}

await withBrowser(async (browser) => {
  for (const one of CASES.filter(({ name }) => name.includes(values.only))) {
    const run = await live(browser, one).catch((error) => ({ problems: [`the test broke: ${error.message}`] }));
    const arrival = run.url && await collector.until(isWanted(one) === true ? ARRIVE_SECONDS : 1, () => arrivalOf(run.url), (found) => found?.isWhole);
    judgeArrival(one, run, arrival, run.problems);
    judge(one.name, run.problems);
    const { stats } = run;
    console.log(`       ${stats?.state ?? "no SDK"} ${stats?.transport ?? ""} ${stats?.reason ?? ""} swallowed ${run.after?.swallowed ?? "-"}; ${arrival ? (arrival.isWhole ? "whole" : "in part") : "nothing"}`);
  }
});
server.close();
await collector.stop();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
