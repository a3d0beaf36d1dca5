// How a page may end, and what of it reaches the collector. In each life the page says "first" when the SDK runs, and
// "last" right before the end: only the way out can still deliver that.
import { setTimeout as pause } from "node:timers/promises";

const RUNNING_MS_MAX = 10_000;
const LINGER_MS = 250;
const SNAPSHOT_MS = 3500;
const LAST = `vitrace.event("last")`;

export async function running(tab) {
  for (const end = performance.now() + RUNNING_MS_MAX; performance.now() < end; await pause(50)) {
    if ((await tab.run(`window.vitrace?.stats().state`)) === "running") return;
  }
  throw new Error("the SDK does not run: " + JSON.stringify(await tab.run("JSON.stringify(window.vitrace?.stats())")));
}

async function begin(engine, url) {
  const tab = await engine.open(url);
  await running(tab);
  await tab.run(`vitrace.event("first")`);
  await pause(LINGER_MS);
  return tab;
}

const restored = async (tab) => {
  for (let i = 0; i < 40; i++, await pause(50)) if (await tab.run(`location.pathname.startsWith("/life") && document.readyState === "complete"`).catch(() => false)) return;
};

/** Name -> { in: engines that have it, views: of one life, live(engine, site, path) }. `path` is the life's own. */
export const LIVES = {
  "tab closed": { async live(engine, { base }, path) {
    const tab = await begin(engine, base + path);
    await tab.run(LAST);
    await tab.close();
  } },
  hidden: { async live(engine, { base }, path) {
    const tab = await begin(engine, base + path);
    await tab.run(LAST);
    await tab.hide();
    // It stays: what arrived, arrived at hidden.
    return tab;
  } },
  "same-site navigation": { async live(engine, { base }, path) {
    const tab = await begin(engine, base + path);
    await tab.runSoon(`${LAST}; location.assign("/blank")`);
    return tab;
  } },
  "cross-site navigation": { async live(engine, { base, elsewhere }, path) {
    const tab = await begin(engine, base + path);
    await tab.runSoon(`${LAST}; location.assign("${elsewhere}/blank")`);
    return tab;
  } },
  reload: { views: 2, async live(engine, { base }, path) {
    const tab = await begin(engine, base + path);
    await tab.run(LAST);
    await tab.reload();
    await running(tab);
    await tab.run(LAST);
    await tab.close();
  } },
  "back/forward cache": { views: 2, async live(engine, { base }, path) {
    const tab = await begin(engine, base + path);
    await tab.run(`addEventListener("pageshow", (event) => (window.restored = event.persisted))`);
    await tab.runSoon(`${LAST}; location.assign("/blank")`);
    await pause(600);
    await tab.back();
    await restored(tab);
    await running(tab);
    const isKept = await tab.run("window.restored === true");
    await tab.run(LAST);
    await tab.close();
    return isKept ? undefined : "loaded anew";
  } },
  // The driver loses sight of a page that is activated, so this one says "last" by itself.
  prerender: { in: ["chromium"], type: "prerender", async live(engine, { base }, path) {
    const tab = await engine.open(base + path.replace("/life/", "/ahead/"));
    await pause(1500);
    await tab.click("#ahead");
    await pause(2500);
    await tab.close();
  } },
  "soft navigation": { in: ["chromium"], views: 2, soft: true, async live(engine, { base }, path) {
    const tab = await begin(engine, base + path);
    await tab.run(LAST);
    await tab.click("#soft");
    await pause(500);
    await tab.run(LAST);
    await tab.close();
  } },
  frozen: { in: ["chromium"], async live(engine, { base }, path) {
    const tab = await begin(engine, base + path);
    await tab.run(LAST);
    await tab.hide();
    const session = await tab.page.createCDPSession();
    await session.send("Page.setWebLifecycleState", { state: "frozen" });
    return tab;
  } },
  crash: { in: ["chromium"], snapshot: true, async live(engine, { base }, path) {
    const tab = await begin(engine, base + path);
    await tab.run(LAST);
    // The snapshot that the browser holds is made anew two seconds after what it shows.
    await pause(SNAPSHOT_MS);
    const session = await tab.page.createCDPSession();
    // A dead page answers nothing.
    session.send("Page.crash").catch(() => {});
    await pause(200);
    return tab;
  } },
};
