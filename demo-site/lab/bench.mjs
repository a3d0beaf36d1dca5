// npm run bench [-- --rounds N] [--only a,b]: the lab in headless Chromium; prints the table that the README quotes.
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { withBrowser } from "../check/browser.mjs";
import { SUBJECTS } from "./subjects.mjs";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" }, seed: { type: "string", default: "20261122" }, only: { type: "string" }, url: { type: "string", default: "http://127.0.0.1:8082/lab" }, shot: { type: "string" } } });
const names = values.only ? ["none", ...values.only.split(",").filter((name) => name !== "none")] : SUBJECTS.map(({ name }) => name);

await withBrowser(async (browser) => {
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  await page.setViewport({ width: 1120, height: 1000 });
  await page.goto(values.url);
  await page.waitForFunction("globalThis.labMeasure !== undefined");
  // Asked again and again: one call of the protocol may not take minutes.
  await page.evaluate((list, count, seed) => {
    globalThis.labMeasure(list, count, seed).then((done) => { globalThis.labDone = done; }, (error) => { globalThis.labDone = { error: error.message }; });
  }, names, Number(values.rounds), Number(values.seed));
  let done;
  while (!(done = await page.evaluate(() => globalThis.labDone))) await new Promise((resolve) => setTimeout(resolve, 2000));
  if (done.error) throw new Error(done.error);
  const { results } = done;
  if (values.shot) await page.screenshot({ path: values.shot, fullPage: true });
  const cell = ({ median, min, max }, digits = 1) => `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`;
  console.log(`${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpus()[0].model}, ${await browser.version()}, ${values.rounds} rounds, seed ${values.seed}`);
  console.log("| SDK | start, ms over none | workload, ms over none | bytes sent | requests |\n|---|---:|---:|---:|---:|");
  for (const name of names) {
    const { start, workload, bytes, requests } = results[name];
    console.log(`| ${name} | ${cell(start)} | ${cell(workload)} | ${cell(bytes, 0)} | ${requests.median} |`);
  }
});
