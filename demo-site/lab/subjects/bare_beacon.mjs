// What a page without any SDK would write by hand: every entry as the browser's own JSON, sent in lots.
const LOT = 50;
let lot = [];
function send() {
  if (lot.length) navigator.sendBeacon(globalThis.LAB_SINK, JSON.stringify(lot));
  lot = [];
}
const take = (list) => {
  lot.push(...list.getEntries());
  if (lot.length >= LOT) send();
};
for (const type of PerformanceObserver.supportedEntryTypes) {
  new PerformanceObserver(take).observe({ type, buffered: true, ...(type === "event" ? { durationThreshold: 40 } : {}) });
}
document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && send());
