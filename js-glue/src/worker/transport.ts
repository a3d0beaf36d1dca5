/** One beacon to the collector, with patience. The same code runs in the worker and, without one, on the page. */
import { InFlight } from "./in_flight";
import { retryAfterMs, retryDelayMs, Verdict, verdictOf } from "./retry";

/** What the network and time are; tests bring their own. */
export interface Host {
  fetch(url: string, init: RequestInit): Promise<Response>;
  sleep(ms: number): Promise<void>;
  random(): number;
  nowMs(): number;
  readonly inFlight: InFlight;
  /** Makes a body smaller, if it can. */
  pack?(body: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  /** Keeps a beacon that could not be sent for a later page. Rejects when it cannot. */
  keep?: ((body: Uint8Array<ArrayBuffer>) => Promise<void>) | undefined;
}

export interface Outcome {
  readonly sent: boolean;
  readonly retries: number;
  /** The collector's status when it does not want it: it is not worth another try. */
  readonly refused?: number;
}

/** Small beacons survive a navigation, big ones do not crowd out the exit. */
const KEEPALIVE_BYTES_MAX = 8192;

/** `fetch`: the browser's own, not a wrapper that the page or we put around it. */
export function hostOf(fetch: Host["fetch"], pack?: Host["pack"]): Host {
  return {
    fetch,
    pack,
    inFlight: new InFlight(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    random: Math.random,
    nowMs: Date.now,
  };
}

export function beaconRequest(body: Uint8Array<ArrayBuffer>, keepalive: boolean): RequestInit {
  return {
    method: "POST",
    body,
    // A type that needs no preflight. The collector knows the format by its first byte.
    headers: { "content-type": "text/plain" },
    mode: "cors",
    credentials: "omit",
    keepalive,
  };
}

export async function deliver(host: Host, url: string, body: Uint8Array<ArrayBuffer>): Promise<Outcome> {
  const packed = (await host.pack?.(body)) ?? body;
  for (let attempt = 1; ; attempt++) {
    const retries = attempt - 1;
    const { verdict, askedMs, status } = await post(host, url, packed);
    if (verdict === Verdict.ACKED) return { sent: true, retries };
    if (verdict === Verdict.REFUSED) return { sent: false, retries, refused: status };
    const delayMs = host.keep && isOffline() ? -1 : retryDelayMs(attempt, askedMs, host.random);
    if (delayMs < 0) return { sent: await isKept(host, body), retries };
    await host.sleep(delayMs);
  }
}

export function isOffline(): boolean {
  return navigator.onLine === false;
}

async function isKept(host: Host, body: Uint8Array<ArrayBuffer>): Promise<boolean> {
  try {
    await host.keep!(body);
    return true;
  } catch {
    // Nobody keeps anything here, or storage is refused.
    return false;
  }
}

async function post(host: Host, url: string, body: Uint8Array<ArrayBuffer>): Promise<{ verdict: Verdict; askedMs: number; status: number }> {
  const size = body.byteLength;
  const keepalive = size <= KEEPALIVE_BYTES_MAX && host.inFlight.take(size);
  try {
    const response = await host.fetch(url, beaconRequest(body, keepalive));
    // Readable across origins only if the collector exposes it; otherwise the backoff decides alone.
    const { status } = response;
    return { verdict: verdictOf(status), askedMs: retryAfterMs(response.headers.get("retry-after"), host.nowMs()), status };
  } catch {
    return { verdict: Verdict.RETRY, askedMs: 0, status: 0 };
  } finally {
    if (keepalive) host.inFlight.give(size);
  }
}
