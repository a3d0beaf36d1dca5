// The same page life measured by Vitrace and by web-vitals: equal where the engine has the entries, and "unsupported", never
// a value and never nothing, where it has not.
import { setTimeout as pause } from "node:timers/promises";
import { running } from "./lives.mjs";

const VITALS = ["lcp", "inp", "cls", "fcp", "ttfb"];
/** What a vital is made of: without it, it cannot be measured. */
const SUPPORT = `({
  lcp: PerformanceObserver.supportedEntryTypes.includes("largest-contentful-paint"),
  inp: !!globalThis.PerformanceEventTiming && "interactionId" in PerformanceEventTiming.prototype,
  cls: PerformanceObserver.supportedEntryTypes.includes("layout-shift"),
  fcp: PerformanceObserver.supportedEntryTypes.includes("paint"),
  ttfb: PerformanceObserver.supportedEntryTypes.includes("navigation") })`;

/** { metric: { found, expected, supported, equal } } */
export async function compareVitals(engine, site, collector, app, path) {
  const tab = await engine.open(site.base + path);
  await running(tab);
  await pause(500);
  for (let click = 0; click < 2; click++) {
    await tab.click("#act");
    await pause(300);
  }
  const supported = await tab.run(SUPPORT);
  await tab.goto(`${site.base}/blank`);
  const expected = JSON.parse((await tab.run(`localStorage.getItem("vitals:${path}")`)) ?? "{}");
  await tab.close();
  const isFinal = (view) => Object.keys(expected).every((metric) => view?.vitals[metric]?.state === "measured");
  const view = await collector.until(5, async () => (await collector.views(app)).find(({ url }) => url === site.base + path), isFinal);
  return Object.fromEntries(VITALS.map((metric) => {
    const { state, value } = view?.vitals[metric] ?? { state: "absent" };
    const equal = supported[metric] ? Object.is(state === "measured" ? value : undefined, expected[metric])
      : state === "unsupported" && expected[metric] === undefined;
    return [metric, { found: state === "measured" ? value : state, expected: expected[metric], supported: supported[metric], equal }];
  }));
}
