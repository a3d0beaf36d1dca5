// The backend's own list of the requests that it served.
const QUIET_MS = 600;
const QUIET_SECONDS_MAX = 20;

export async function readLedger(base, since = 0) {
  const response = await fetch(`${base}/_ledger?since=${since}`, { signal: AbortSignal.timeout(5000) });
  const { entries, forgotten } = await response.json();
  if (forgotten > 0) throw new Error("the shop's ledger has forgotten requests: start a fresh shop");
  return entries;
}

// Waits until all requests are answered and none has come for a while. The backend is asked because it knows: a browser
// driver counts requests by events, and loses some when a page goes away while its worker is sending.
export async function untilQuiet(base) {
  const end = performance.now() + QUIET_SECONDS_MAX * 1000;
  let count = -1, since = performance.now();
  while (performance.now() < end) {
    const entries = await readLedger(base);
    if (entries.length !== count || entries.some((entry) => entry.status === 0)) {
      count = entries.length;
      since = performance.now();
    }
    if (performance.now() - since >= QUIET_MS) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the shop at ${base} is still busy after ${QUIET_SECONDS_MAX} s`);
}
