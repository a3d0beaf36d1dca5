// What a busy page does, phase by phase, called by the bench. The blocks are synchronous requests: they keep the main
// thread from its work as a long task does, and use next to no CPU, which would drown what SDKs use.
(() => {
  const CONCURRENT = 6, STEP_MS = 4;
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const box = document.getElementById("box");
  let made = 0;

  const byFetch = async (url) => void (await (await fetch(url)).json());
  const byXhr = (url) => new Promise((resolve) => {
    const call = new XMLHttpRequest();
    call.onloadend = resolve;
    call.open("GET", url);
    call.send();
  });
  const byImage = (n) => new Promise((resolve) => {
    const image = new Image();
    image.onload = image.onerror = resolve;
    image.src = `/image/${n}.gif`;
    document.body.append(image);
    setTimeout(() => image.remove(), 200);
  });
  function block(ms) {
    const call = new XMLHttpRequest();
    call.open("GET", `/block/${ms}`, false);
    call.send();
  }

  // 80 % fetch, 10 % XHR, 10 % images, none of them from a cache.
  async function resources(count) {
    let left = count;
    const lane = async () => {
      while (left-- > 0) {
        const n = made++, url = `/api/catalog/items/${n}/details?page=${n % 7}&sort=price`;
        await (n % 10 === 8 ? byXhr(url) : n % 10 === 9 ? byImage(n) : byFetch(url));
        await wait(STEP_MS);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT }, lane));
  }
  async function shifts(count) {
    for (let n = 0; n < count; n++) {
      box.style.height = `${20 + (n % 2) * 30}px`;
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, STEP_MS)));
    }
  }
  async function tasks(count) {
    for (let n = 0; n < count; n++) {
      block(52);
      await wait(20);
    }
  }
  async function timings(count) {
    for (let n = 0; n < count; n++) {
      performance.mark(`step-${n}`);
      performance.measure(`measure-${n}`, `step-${n}`);
      await wait(STEP_MS);
    }
  }
  // What SDKs listen to when a page is left, so that each pays for its flush inside the measured time.
  async function leave() {
    Object.defineProperty(document, "visibilityState", { get: () => "hidden", configurable: true });
    Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    window.dispatchEvent(new PageTransitionEvent("pagehide", { persisted: false }));
    await wait(200);
  }
  globalThis.bench = { wait, resources, shifts, tasks, timings, leave, block };
})();
