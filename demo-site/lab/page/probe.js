// Main-thread time from inside the page, for any SDK alike and without touching it: a task of the lowest priority spins
// in short slices whenever the thread has nothing else to do. What it could not get, the page used.
//   busy(from, to) = elapsed - what the probe spun
(() => {
  const SLICE_MS = 0.4; // how long anything else waits at the most
  let idle = 0;
  let running = true;
  const spin = () => {
    const began = performance.now();
    let now = began;
    while ((now = performance.now()) - began < SLICE_MS);
    idle += now - began;
    if (running) next();
  };
  const channel = new MessageChannel();
  channel.port1.onmessage = spin;
  const next = globalThis.scheduler?.postTask
    ? () => void globalThis.scheduler.postTask(spin, { priority: "background" })
    : () => channel.port2.postMessage(0);
  globalThis.LAB.read = () => ({ time: performance.now(), idle });
  globalThis.LAB.busy = (from, to) => to.time - from.time - (to.idle - from.idle);
  globalThis.LAB.stop = () => { running = false; };
  globalThis.LAB.began = globalThis.LAB.read();
  next();
})();
