// Records which timing entry belongs to which call, in a real browser: tests/golden/calls/*.jsonl. The SDK's own wrappers
// tell of the calls; the truth is a fragment on every URL, which the browser keeps in the entry's name and never sends.
// Usage: node record_calls.mjs [--browser PATH] [--out FILE] [--seed NUMBER]
//
//   ["trial",kind]    ["call",truth,start,headers,end,body end,status,content length,redirected,id]
//                     ["entry",truth,start,response start,response end,status,encoded size,redirected,id]     null = unknown
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { pageScript, top } from "./support/bundle.mjs";

const puppeteer = createRequire(join(top, "tests/conformance/package.json"))("puppeteer-core");
const { values: options } = parseArgs({
  options: { seed: { type: "string", default: "1" }, browser: { type: "string", default: "/usr/bin/chromium" }, out: { type: "string", default: join(top, "tests/golden/calls/chromium.jsonl") } },
});
const KINDS = ["plain", "blocked", "mixed", "xhr"];
const TRIALS = 60;
const TRIAL_MS_MAX = 15_000;
const FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];

/** Answers as the request's headers ask; a header, because every request has the same URL. */
function answer(request, response) {
  if (request.url === "/") return response.setHeader("content-type", "text/html").end("<!doctype html><title>calls</title>");
  const [delay, size, status, hasLength] = (request.headers["x-ask"] ?? "0,0,200,1").split(",").map(Number);
  const trace = /^00-(\w{32})-/.exec(request.headers.traceparent ?? "")?.[1];
  if (trace) response.setHeader("server-timing", `traceparent;desc="00-${trace}-${trace.slice(0, 15)}1-01"`);
  response.setHeader("cache-control", "no-store");
  const isMoved = status === 302 && request.url === "/api/items";
  setTimeout(() => {
    if (isMoved) return response.writeHead(302, { location: "/api/moved" }).end();
    response.writeHead(status === 302 ? 200 : status, hasLength ? { "content-length": size } : {});
    response.end("x".repeat(size));
  }, delay);
}

/** In the page: one trial. Serialised, so it names nothing outside but what the page script put there. */
async function trial(kind, seed) {
  let state = seed * 2654435761 + 1;
  const random = (below) => ((state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0), state % below);
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const block = (ms) => {
    for (const end = performance.now() + ms; performance.now() < end; );
  };
  const page = window.recorder;
  page.begin();
  const bodyEnds = {};
  const count = 2 + random(11);
  const one = async (n) => {
    const url = `/api/items#truth-${n}`;
    const status = [200, 200, 200, 200, 404, 302][random(6)];
    const ask = `${random(60)},${random(4) ? 100 + random(4000) : 20_000 + random(60_000)},${status},${random(4) && 1}`;
    const fate = kind === "mixed" ? ["read", "read", "late", "abort", "unread", "early"][random(6)] : "read";
    if (kind === "xhr") {
      const request = new XMLHttpRequest();
      request.open("GET", url);
      request.setRequestHeader("x-ask", ask);
      const ended = new Promise((done) => (request.onloadend = done));
      request.send();
      await ended;
      return;
    }
    const aborter = new AbortController();
    if (fate === "abort") setTimeout(() => aborter.abort(), random(70));
    if (fate === "early") setTimeout(() => aborter.abort(), 0);
    const response = await fetch(url, { headers: { "x-ask": ask }, signal: aborter.signal, cache: random(2) ? "no-store" : "default" });
    if (fate === "unread") return;
    if (fate === "late") await pause(30 + random(200));
    await response.text();
    bodyEnds[n] = performance.now();
  };
  const calls = [];
  for (let n = 0; n < count; n++) {
    calls.push(one(seed * 100 + n).catch(() => {}));
    if (random(3) === 0) await pause(random(12));
    if (kind === "blocked" && random(2)) setTimeout(() => block(30 + random(160)), random(80));
  }
  await Promise.all(calls);
  await pause(150);
  return page.end(bodyEnds);
}

const id = (text) => text?.match(/^00-(\w{32})-/)?.[1].slice(0, 16) ?? null;
const ms = (time) => (time === null || time === undefined ? null : Math.round(time * 1000) / 1000);
const truth = (url) => +url.match(/#truth-(\d+)$/)[1];

function linesOf(kind, { calls, entries, bodyEnds }) {
  return [
    ["trial", kind],
    ...calls.map((call) => [
      "call", truth(call.url), ms(call.start), ms(call.headers), ms(call.end), ms(bodyEnds[truth(call.url)]), call.status,
      call.contentLength, +call.redirected, id(call.traceparent),
    ]),
    ...entries.map((entry) => [
      "entry", truth(entry.name), ms(entry.startTime), ms(entry.responseStart) || null, ms(entry.responseEnd) || null, entry.status, entry.size,
      +entry.redirected, id(entry.id),
    ]),
  ];
}

const site = createServer(answer).listen(0, "127.0.0.1");
await new Promise((done) => site.on("listening", done));
const profile = mkdtempSync(join(tmpdir(), "vitrace-calls-"));
const isFirefox = /firefox/.test(options.browser);
const browser = await puppeteer.launch({
  executablePath: options.browser, browser: isFirefox ? "firefox" : "chrome", userDataDir: profile, args: isFirefox ? ["--headless"] : FLAGS,
});
try {
  const script = await pageScript("record_page.mjs");
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${site.address().port}/`);
  await page.evaluate(script);
  const lines = [];
  for (let n = 0; n < TRIALS; n++) {
    const kind = KINDS[n % KINDS.length];
    const overdue = new Promise((_, reject) => setTimeout(() => reject(new Error(`trial ${n} takes too long`)), TRIAL_MS_MAX).unref());
    lines.push(...linesOf(kind, await Promise.race([page.evaluate(trial, kind, +options.seed + n), overdue])));
  }
  writeFileSync(options.out, lines.map((line) => JSON.stringify(line)).join("\n") + "\n");
  console.log(`${lines.filter(([what]) => what === "call").length} calls, ${lines.filter(([what]) => what === "entry").length} entries of ${await browser.version()}`);
} finally {
  await browser.close();
  site.close();
  rmSync(profile, { recursive: true, force: true });
}
