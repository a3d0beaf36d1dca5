// What one resource entry costs, hot and cold, against a floor of the same run.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { summaryOf } from "./statistics.mjs";

const HOT_ENTRIES = 1000, HOT_ROUNDS = 30;
const COLD_ENTRIES = 200, COLD_BATCH = 10, COLD_LOADS = 3; // loads a round and path
const KNOWN_URLS = 20;
const PATHS = ["floor", "json", "vitrace"];
const LABELS = { floor: "read every field, drop it", json: "JSON.stringify(entries)", vitrace: "Vitrace: read, scrub, encode into the ring" };

async function serve(server) {
  const { outputFiles } = await build({ entryPoints: [fileURLToPath(new URL("entry_page.ts", import.meta.url))], bundle: true, minify: true,
    format: "iife", target: "es2022", write: false, mangleProps: /^_[a-z]/, reserveProps: /^_initialize$/, define: { VITRACE_VERSION: '"bench"' } });
  server.serveEntries({ js: outputFiles[0].contents, wasm: readFileSync(fileURLToPath(new URL("../dist/vitrace.wasm", import.meta.url))) });
}

async function inPage(browser, server, throttle, count, distinct, work) {
  const context = await browser.createBrowserContext();
  try {
    const page = await context.newPage();
    await page.goto(`${server.origin}/entries.html`, { waitUntil: "load" });
    const seen = await page.evaluate((n, urls) => globalThis.entryBench.prepare(n, urls), count, distinct);
    if (seen !== count) throw new Error(`the page made ${seen} of ${count} entries`);
    const cdp = await page.createCDPSession();
    if (throttle > 1) await cdp.send("Emulation.setCPUThrottlingRate", { rate: throttle });
    return await work(page);
  } finally {
    await context.close();
  }
}

async function hotRows(browser, server, distinct, what) {
  const results = await inPage(browser, server, 1, HOT_ENTRIES, distinct, (page) => page.evaluate((names, rounds) => globalThis.entryBench.hot(names, rounds), PATHS, HOT_ROUNDS));
  return PATHS.map((path, at) => ({
    name: `hot, ${what}: ${LABELS[path]}`,
    usPerEntry: summaryOf(results[at].us),
    ratio: summaryOf(results[at].us.map((us, round) => us / results[0].us[round])),
    bytesPerEntry: results[at].bytes,
  }));
}

async function coldRows(browser, server, throttle, rounds) {
  const us = Object.fromEntries(PATHS.map((path) => [path, []]));
  for (let round = 0; round < rounds * COLD_LOADS; round++) {
    for (const path of PATHS) us[path].push(await inPage(browser, server, throttle, COLD_ENTRIES, COLD_ENTRIES, (page) => page.evaluate((name, batch) => globalThis.entryBench.cold(name, batch), path, COLD_BATCH)));
  }
  const floor = summaryOf(us.floor).median;
  return PATHS.map((path) => ({
    name: `cold, ${throttle}x: ${LABELS[path]}`,
    usPerEntry: summaryOf(us[path]),
    ratio: summaryOf(us[path].map((one, round) => one / us.floor[round])),
    ofMedians: summaryOf(us[path]).median / floor,
  }));
}

export async function entryCosts(browser, server, rounds) {
  await serve(server);
  return [
    ...await hotRows(browser, server, HOT_ENTRIES, "all URLs new"),
    ...await hotRows(browser, server, KNOWN_URLS, `${KNOWN_URLS} URLs`),
    ...await coldRows(browser, server, 1, rounds),
    ...await coldRows(browser, server, 4, rounds),
  ];
}
