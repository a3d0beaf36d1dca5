/** One beacon to the collector, with patience. The same code runs in the worker and, without one, on the page. */
import { retryAfterMs, retryDelayMs, Verdict, verdictOf } from "./retry";

/** What the network and time are; tests bring their own. */
export interface Host {
  fetch(url: string, init: RequestInit): Promise<Response>;
  sleep(ms: number): Promise<void>;
  random(): number;
  nowMs(): number;
}

export interface Outcome {
  readonly sent: boolean;
  readonly retries: number;
}

/** keepalive requests share 64 KiB a page: small beacons survive a navigation, big ones do not crowd out the exit. */
const KEEPALIVE_BYTES_MAX = 8192;

/** `fetch`: the browser's own, not a wrapper that the page or we put around it. */
export function hostOf(fetch: Host["fetch"]): Host {
  return {
    fetch,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    random: Math.random,
    nowMs: Date.now,
  };
}

export function beaconRequest(body: Uint8Array<ArrayBuffer>): RequestInit {
  return {
    method: "POST",
    body,
    // A type that needs no preflight. The collector knows the format by its first byte.
    headers: { "content-type": "text/plain" },
    mode: "cors",
    credentials: "omit",
    keepalive: body.byteLength <= KEEPALIVE_BYTES_MAX,
  };
}

export async function deliver(host: Host, url: string, body: Uint8Array<ArrayBuffer>): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    const { verdict, askedMs } = await post(host, url, body);
    if (verdict === Verdict.ACKED) return { sent: true, retries: attempt - 1 };
    const delayMs = verdict === Verdict.REFUSED ? -1 : retryDelayMs(attempt, askedMs, host.random);
    if (delayMs < 0) return { sent: false, retries: attempt - 1 };
    await host.sleep(delayMs);
  }
}

async function post(host: Host, url: string, body: Uint8Array<ArrayBuffer>): Promise<{ verdict: Verdict; askedMs: number }> {
  try {
    const response = await host.fetch(url, beaconRequest(body));
    // Readable across origins only if the collector exposes it; otherwise the backoff decides alone.
    return { verdict: verdictOf(response.status), askedMs: retryAfterMs(response.headers.get("retry-after"), host.nowMs()) };
  } catch {
    return { verdict: Verdict.RETRY, askedMs: 0 };
  }
}
