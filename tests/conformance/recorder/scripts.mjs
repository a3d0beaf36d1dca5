/** What is done on which page. Each leaves the page at the end, which is when a recording is complete. */
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const stay = (ms) => () => pause(ms);
// Longer than an idle callback may be put off.
const QUIET_MS = 1200;
const click = async (page) => {
  await page.mouse.click(120, 50);
  await pause(120);
};
const clicks = (n, ms = 900) => async ({ page }) => {
  await pause(ms);
  for (let i = 0; i < n; i++) await click(page);
  await pause(QUIET_MS);
};
const keys = (text) => async ({ page }) => {
  await pause(900);
  await page.focus("input");
  await page.keyboard.type(text, { delay: 120 });
  await pause(QUIET_MS);
};
const slowAmongFast = (n) => async ({ page }) => {
  await pause(800);
  for (let i = 0; i < n; i++) {
    const busy = i % 20 === 7 ? 150 + i : 0;
    await page.evaluate((ms) => { slow = ms; }, busy);
    await page.mouse.click(120, 50);
    await pause(busy ? 150 : 25);
  }
  await pause(QUIET_MS);
};
const back = (before, after, times = 1) => async (scene) => {
  await before(scene);
  for (let i = 0; i < times; i++) {
    await scene.page.goto(scene.origin + "/away");
    await pause(400);
    await scene.page.goBack();
    await pause(150);
    await after(scene);
  }
};
const again = (how) => async ({ page }) => {
  await pause(500);
  await page[how]();
  await pause(700);
};
const otherTab = (before, after) => async ({ page, browser }) => {
  await before({ page });
  const tab = await browser.newPage();
  await tab.bringToFront();
  await pause(400);
  await page.bringToFront();
  await pause(300);
  await tab.close();
  await after({ page });
};
const follow = (ms, rest) => async ({ page }) => {
  await pause(ms);
  // The prerendered page replaces the frame under way, which ends the waits for it.
  page.click("#go").catch(() => {});
  await pause(300);
  await rest({ page });
};

/** On the page that navigates softly: clicks with time between them. */
const navigate = (n, gap = 900) => async ({ page }) => {
  await pause(700);
  for (let i = 0; i < n; i++) {
    await page.mouse.click(120, 50);
    await pause(gap);
  }
  await pause(QUIET_MS);
};
const press = async ({ page }) => {
  await pause(700);
  await page.keyboard.press("Enter");
  await pause(900 + QUIET_MS);
};

/** name, query of the page, what is done. `path` is another address than /page. */
export const SCRIPTS = [
  { name: "one click, and left before the page was idle", page: "button", act: async ({ page }) => { await pause(900); await click(page); } },
  { name: "text", page: "text", act: stay(600) },
  { name: "text, slow server", page: "text", query: { slow: 350 }, act: stay(600) },
  { name: "text after a redirect", page: "text", path: "/redirect", act: stay(600) },
  { name: "nothing is painted", page: "nothing", act: stay(400) },
  { name: "left before anything was painted", page: "image", query: { wait: 900 }, act: stay(30) },
  { name: "left before load", page: "image", query: { wait: 1500 }, act: stay(500) },
  { name: "image", page: "image", act: stay(900) },
  { name: "image after 600 ms", page: "image", query: { wait: 600 }, act: stay(1300) },
  { name: "background image", page: "background", act: stay(900) },
  { name: "image of another origin, timing hidden", page: "foreign", query: { allow: 0 }, act: stay(900) },
  { name: "image of another origin, timing allowed", page: "foreign", query: { allow: 1 }, act: stay(900) },
  { name: "a larger image comes later", page: "replaced", act: stay(1000) },
  { name: "the largest element is removed", page: "removed", act: stay(700) },
  { name: "one image in two sizes", page: "twice", act: stay(900) },
  { name: "sixty images beside the large one", page: "many", query: { n: 60 }, act: stay(1300) },
  { name: "one hundred and twenty images beside the large one", page: "many", query: { n: 120 }, act: stay(1600) },
  { name: "a banner pushes the text down", page: "banner", act: stay(900) },
  { name: "five banners in one window", page: "banner", query: { n: 5 }, act: stay(1900) },
  { name: "three banners in windows of their own", page: "banner", query: { n: 3, gap: 1200 }, act: stay(3400) },
  { name: "ten banners over more than five seconds", page: "banner", query: { n: 10, gap: 650 }, act: stay(7200) },
  { name: "a text node is moved", page: "textnode", act: stay(900) },
  { name: "an animation moves, nothing shifts", page: "moving", act: stay(900) },
  { name: "one click", page: "button", act: clicks(1) },
  { name: "a slow click", page: "button", query: { busy: 320 }, act: clicks(1) },
  { name: "five clicks", page: "button", act: clicks(5) },
  { name: "clicks too short to be told of", page: "button", query: { busy: 0 }, act: clicks(4) },
  { name: "a click makes the page grow", page: "button", query: { grow: 1 }, act: clicks(2) },
  { name: "slow pointerdown and pointerup", page: "down", act: clicks(3) },
  { name: "typing", page: "button", query: { busy: 50 }, act: keys("vitals") },
  { name: "typing slowly handled", page: "button", query: { busy: 210 }, act: keys("abc") },
  { name: "sixty clicks, three of them slow", page: "button", query: { busy: 0 }, act: slowAmongFast(60) },
  { name: "one hundred and ten clicks, some of them slow", page: "button", query: { busy: 0 }, act: slowAmongFast(110) },
  { name: "clicks on a page that is never idle", page: "busy", act: clicks(3) },
  { name: "a click before the largest paint", page: "growing", act: clicks(1, 500) },
  { name: "started late", page: "image", query: { late: 600 }, act: stay(1600) },
  { name: "started late, after shifts", page: "banner", query: { late: 900, n: 3 }, act: stay(1900) },
  { name: "started late, after windows of shifts", page: "banner", query: { late: 3200, n: 3, gap: 1200 }, act: stay(4200) },
  { name: "started late, after clicks", page: "button", query: { late: 1800, busy: 130 }, act: async (scene) => { await clicks(3, 300)(scene); await pause(1800); } },
  { name: "reloaded", page: "text", act: again("reload") },
  { name: "back to a page that is not kept", page: "text", query: { store: "no" }, act: back(stay(500), stay(500)) },
  { name: "back from the cache", page: "image", act: back(stay(700), stay(500)) },
  { name: "back from the cache twice", page: "text", act: back(stay(600), stay(400), 2) },
  { name: "shifts before and after the cache", page: "banner", query: { n: 2, gap: 1300 }, act: back(stay(900), stay(1500)) },
  { name: "clicks before and after the cache", page: "button", query: { busy: 90 }, act: back(clicks(2), clicks(2, 400)) },
  { name: "short clicks only, before and after the cache", page: "button", query: { busy: 0 }, act: back(clicks(3), clicks(3, 400)) },
  { name: "another tab and back", page: "text", act: otherTab(stay(600), stay(400)) },
  { name: "another tab between two clicks", page: "button", act: otherTab(clicks(1), clicks(1, 300)) },
  { name: "prerendered and activated", page: "prerenders", target: "image", act: follow(900, stay(600)) },
  { name: "prerendered, activated and clicked", page: "prerenders", target: "button", query: { busy: 90 }, act: follow(900, clicks(2, 400)) },
  { name: "soft: one", page: "spa", act: navigate(1) },
  { name: "soft: three", page: "spa", act: navigate(3) },
  { name: "soft: with an image that loads later", page: "spa", query: { image: 200 }, act: navigate(2) },
  { name: "soft: a slow handler", page: "spa", query: { busy: 240 }, act: navigate(2) },
  { name: "soft: after a fetch", page: "spa", query: { wait: 300 }, act: navigate(2, 1200) },
  { name: "soft: shifts long after", page: "spa", query: { shift: 900 }, act: navigate(2, 1600) },
  { name: "soft: by a key", page: "spa", query: { busy: 60 }, act: press },
  { name: "soft: replaced history", page: "spa", query: { replace: 1 }, act: navigate(2) },
  { name: "soft: before load", page: "spa", query: { slow: 1800 }, act: navigate(1, 1500) },
  { name: "soft: one click after the other", page: "spa", query: { busy: 30, image: 100 }, act: navigate(4, 150) },
  { name: "soft: then another tab", page: "spa", query: { busy: 50 }, act: otherTab(navigate(1), navigate(1)) },
  { name: "soft: then back from the cache", page: "spa", query: { busy: 50 }, act: back(navigate(1), navigate(1)) },
  { name: "soft: started late", page: "spa", query: { late: 2600, busy: 50 }, act: async (scene) => { await navigate(2)(scene); await pause(1500); await scene.page.mouse.click(120, 50); await pause(1500); } },
  { name: "soft: none, clicks only", page: "button", query: { grow: 1 }, act: clicks(2) },
  { name: "frames: twelve slow handlers", page: "handlers", act: clicks(2) },
  { name: "frames: handlers that force layout", page: "handlers", query: { n: 3, busy: 25, force: 1 }, act: clicks(2) },
  { name: "frames: a frame callback after the handler", page: "chain", act: clicks(3) },
  { name: "frames: a slow click", page: "button", query: { busy: 320 }, act: clicks(1) },
  { name: "frames: typing slowly handled", page: "button", query: { busy: 110 }, act: keys("abc") },
  { name: "frames: clicks on a page that is never idle", page: "busy", act: clicks(3) },
  { name: "frames: sixty clicks, three of them slow", page: "button", query: { busy: 0 }, act: slowAmongFast(60) },
  { name: "activated before it has loaded", page: "prerenders", target: "image", query: { wait: 1500 }, act: follow(500, stay(1900)) },
];
