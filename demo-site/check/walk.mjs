// What a visitor does in the shop. Every step leaves one view behind; leaving a page hides it, which makes its vitals
// final. Nothing is left while a request is under way: an aborted request is another story than the one told here.
import { savedVitals } from "./browser.mjs";
import { untilQuiet } from "./shop_ledger.mjs";

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// The page is loaded, its SDK (if the collector could deliver one) has its core, and the backend has nothing to do.
export async function settled(page) {
  await page.waitForFunction(() => document.readyState === "complete" && window.vitrace?.stats().state !== "waiting", { polling: 100, timeout: 15_000 });
  await untilQuiet(new URL(page.url()).origin);
}

const shown = (page, selector) => page.waitForFunction((css) => document.querySelector(css)?.textContent !== "", { timeout: 5000 }, selector);

export async function hideAndShow(page) {
  const other = await page.browser().newPage();
  await other.bringToFront();
  await page.waitForFunction(() => document.visibilityState === "hidden", { polling: 50, timeout: 5000 });
  await other.close();
  await page.bringToFront();
  await page.waitForFunction(() => document.visibilityState === "visible", { polling: 50, timeout: 5000 });
}

// `path` opens the page; `act` is what happens there; `leave` navigates by a click instead of the address bar, from a page
// whose INP a heavier click has already settled: whether the browser still delivers the timing of the very last click
// to a page that is going away is chance, and each library on the page takes its own.
export const STEPS = [
  { path: "/", act: () => wait(900) },
  { path: "/p/5", act: async (page) => {
    for (let click = 0; click < 2; click++) {
      await page.click("#add");
      await shown(page, "#added");
      await settled(page);
    }
  }, leave: (page) => page.click('nav a[href^="/search"]') },
  { act: async (page) => {
    await page.click("#q", { clickCount: 3 });
    await page.type("#q", "vas", { delay: 40 });
    await page.waitForSelector("#suggestions:not([hidden])", { timeout: 5000 });
  } },
  { path: "/sale", act: async (page) => {
    await page.click("button.rush");
    await page.waitForFunction(() => document.querySelectorAll("#results li").length >= 8, { timeout: 10_000 });
    await hideAndShow(page);
    await page.click("article:last-child button.buy");
    await page.waitForFunction(() => document.querySelectorAll("#results li").length >= 9, { timeout: 10_000 });
  } },
  { path: "/cart", act: async () => {} },
  { path: "/checkout", act: async (page) => {
    await page.type("input[name=name]", "Ada", { delay: 30 });
    await page.click("#order");
    await shown(page, "#placed");
  } },
  { path: "/", act: () => wait(900) },
  { path: "/p/404", act: async () => {} },
];

// Returns the visits in order: { url, time_origin, isolated, vitals } with what web-vitals reported for each.
export async function walk(page, base, steps = STEPS) {
  const visits = [];
  let arrived = false;
  for (const { path, act, leave } of steps) {
    if (!arrived) await page.goto(base + path, { waitUntil: "load" });
    await settled(page);
    visits.push(await page.evaluate(() => ({ url: location.href, time_origin: performance.timeOrigin, isolated: crossOriginIsolated })));
    await act(page);
    await settled(page);
    await wait(100); // the frame that shows the last interaction
    if (leave) await Promise.all([page.waitForNavigation({ waitUntil: "load" }), leave(page)]);
    arrived = leave !== undefined;
  }
  await page.goto(`${base}/_ready`); // a page without the SDK, on the same origin
  const saved = await savedVitals(page);
  return visits.map((visit) => ({ ...visit, vitals: saved.find((one) => one.time_origin === visit.time_origin)?.values ?? {} }));
}
