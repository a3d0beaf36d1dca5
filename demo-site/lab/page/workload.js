// The same work in every run, from one seed: requests, layout shifts, marks and measures, a few long tasks, XHRs, errors
// caught by the page. Paced, so that SDKs may use the pauses as they would on a real page. No user interactions: script
// cannot make trusted ones.
(() => {
  const REQUESTS = 240, SHIFTS = 40, TIMINGS = 80, LONG_TASKS = 3, STEP_MS = 12, SETTLE_MS = 1500, QUIET_MS = 400;
  let state = globalThis.LAB.seed >>> 0 || 1;
  const random = () => { // xorshift32
    state ^= state << 13; state >>>= 0; state ^= state >>> 17; state ^= state << 5; state >>>= 0;
    return state / 2 ** 32;
  };
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const box = document.getElementById("box");

  const request = async (n) => void (await (await fetch(`/lab/echo/${n}`)).json());
  const xhr = (n) => new Promise((resolve) => {
    const call = new XMLHttpRequest();
    call.onloadend = resolve;
    call.open("GET", `/lab/echo/${n}`);
    call.send();
  });
  const shift = () => { box.style.height = `${20 + Math.floor(random() * 60)}px`; };
  const timing = (n) => {
    performance.mark(`step-${n}`);
    performance.measure(`measure-${n}`, `step-${n}`);
  };
  const longTask = () => { const began = performance.now(); while (performance.now() - began < 60); };

  function plan() {
    const steps = [];
    for (let n = 0; n < REQUESTS; n++) steps.push(() => (n % 8 === 7 ? xhr(n) : request(n)));
    for (let n = 0; n < SHIFTS; n++) steps.push(shift);
    for (let n = 0; n < TIMINGS; n++) steps.push(() => timing(n));
    for (let n = 0; n < LONG_TASKS; n++) steps.push(longTask);
    for (let i = steps.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [steps[i], steps[j]] = [steps[j], steps[i]];
    }
    return steps;
  }

  // What SDKs listen to when a page is left, so that each pays for its flush inside the measured time.
  function leave() {
    Object.defineProperty(document, "visibilityState", { get: () => "hidden", configurable: true });
    Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    window.dispatchEvent(new PageTransitionEvent("pagehide", { persisted: false }));
  }

  async function run() {
    const { LAB } = globalThis;
    if (document.readyState !== "complete") await new Promise((resolve) => addEventListener("load", resolve, { once: true }));
    await wait(SETTLE_MS);
    const loaded = LAB.read();
    const pending = [];
    for (const step of plan()) {
      pending.push(step());
      await wait(STEP_MS);
    }
    await Promise.all(pending);
    await wait(QUIET_MS);
    leave();
    await wait(QUIET_MS);
    const ended = LAB.read();
    LAB.stop();
    parent.postMessage({ lab: "done", start: LAB.busy(LAB.began, loaded), workload: LAB.busy(loaded, ended), entries: REQUESTS + SHIFTS + 2 * TIMINGS + LONG_TASKS }, location.origin);
  }
  run();
})();
