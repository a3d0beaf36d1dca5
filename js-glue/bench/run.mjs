// One run: a fresh context, one subject, the whole workload, and one way of measuring it.
//
//   trace     start and blocks from a DevTools trace, CPU of the main thread, heap after a collection, bytes sent
//   profile   self time and peak share from the V8 profiler, which slows everything down
//   heap      bytes that the SDK's own functions allocate
import { allocatedBytes, profileCost } from "./profile_cost.mjs";
import { traceCost } from "./trace_cost.mjs";

const SETTLE_MS = 1500; // after load: the start is over, the workload begins
const START_MS = 1300;
const PROFILE_INTERVAL_US = 100;
const HEAP_INTERVAL_BYTES = 512;
const CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline", "toplevel", "v8", "disabled-by-default-v8.compile", "blink.user_timing", "loading"];
// Of overhead-like workloads: what scale 1 means.
const FULL = { resources: 1000, shifts: 200, tasks: 50, timings: 250, clicks: 150, keys: 150, batch: 20, blockMs: 110 };

const call = (page, phase, count) => page.evaluate((name, n) => globalThis.bench[name](n), phase, count);

// Real input events: all of a batch wait behind one block, so that each lasts longer than 104 ms.
async function interact(page, scale) {
  const cdp = await page.createCDPSession();
  const { x, y } = await page.$eval("#button", (button) => { const box = button.getBoundingClientRect(); return { x: box.x + 5, y: box.y + 5 }; });
  await page.focus("#input");
  const click = (type) => cdp.send("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
  const key = (type) => cdp.send("Input.dispatchKeyEvent", { type, key: "a", code: "KeyA", text: type === "keyDown" ? "a" : undefined, windowsVirtualKeyCode: 65 });
  const batches = async (count, once) => {
    for (let done = 0; done < count; done += FULL.batch) {
      const events = [];
      const blocked = page.evaluate((ms) => globalThis.bench.block(ms), FULL.blockMs);
      for (let n = 0; n < FULL.batch; n++) events.push(...once());
      await Promise.all([blocked, ...events]);
    }
  };
  await batches(FULL.clicks * scale, () => [click("mousePressed"), click("mouseReleased")]);
  await batches(FULL.keys * scale, () => [key("keyDown"), key("keyUp")]);
  await cdp.detach();
}

async function work(page, scale) {
  for (const phase of ["resources", "shifts", "tasks", "timings"]) await call(page, phase, Math.round(FULL[phase] * scale));
  await interact(page, scale);
  await page.evaluate(() => globalThis.bench.wait(1200));
  await call(page, "leave", 0);
}

const PASSES = {
  async trace({ page, cdp, load, work: doWork, isOwn }) {
    await page.tracing.start({ categories: CATEGORIES });
    await load();
    const cpuAtLoad = await taskMs(cdp);
    await doWork();
    const cpu = (await taskMs(cdp)) - cpuAtLoad;
    const { traceEvents } = JSON.parse(Buffer.from(await page.tracing.stop()).toString());
    await cdp.send("HeapProfiler.collectGarbage");
    const { usedSize } = await cdp.send("Runtime.getHeapUsage");
    return { ...traceCost(traceEvents, isOwn, START_MS), cpuMs: cpu, loadCpuMs: cpuAtLoad, heapBytes: usedSize };
  },
  async profile({ cdp, load, work: doWork, isOwn }) {
    await cdp.send("Profiler.enable");
    await cdp.send("Profiler.setSamplingInterval", { interval: PROFILE_INTERVAL_US });
    await load();
    await cdp.send("Profiler.start");
    await doWork();
    return profileCost((await cdp.send("Profiler.stop")).profile, isOwn);
  },
  async heap({ cdp, load, work: doWork, isOwn }) {
    await load();
    await cdp.send("HeapProfiler.startSampling", { samplingInterval: HEAP_INTERVAL_BYTES, includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true });
    await doWork();
    return { allocatedBytes: allocatedBytes((await cdp.send("HeapProfiler.stopSampling")).profile, isOwn) };
  },
};
export const PASS_NAMES = Object.keys(PASSES);

async function taskMs(cdp) {
  const { metrics } = await cdp.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === "TaskDuration").value * 1000;
}

export async function runOnce(browser, server, { subject, pass, scale, throttle, run }) {
  const context = await browser.createBrowserContext();
  try {
    const page = await context.newPage();
    await page.setViewport({ width: 1280, height: 800 });
    const errors = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    const cdp = await page.createCDPSession();
    await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
    if (throttle > 1) await cdp.send("Emulation.setCPUThrottlingRate", { rate: throttle });
    const load = async () => {
      await page.goto(`${server.origin}/page/${subject}/${run}`, { waitUntil: "load" });
      await page.evaluate((ms) => globalThis.bench.wait(ms), SETTLE_MS);
    };
    const result = await PASSES[pass]({ page, cdp, load, work: () => work(page, scale), isOwn: (url) => url.includes(`/sdk/${subject}/`) });
    await page.goto("about:blank");
    return { ...result, ...server.sinkOf(run), errors };
  } finally {
    await context.close();
  }
}
