/**
 * fetchLater: a request that the browser keeps and sends when the page is gone, also when it crashed. It holds what the
 * vitals are so far; where the page can still speak for itself, it takes the request back.
 */
import type { Guard } from "../lib/guard";
import { beaconRequest } from "../worker/transport";

const REARM_MS = 2000;

export interface Later {
  /** There may be something new to tell. */
  touch(): void;
  /** The real beacons are out. */
  disarm(): void;
}

type FetchLater = (url: string, init: RequestInit) => unknown;

/** `snapshot`: undefined when nothing has changed. */
export function later(guard: Guard, url: string, snapshot: () => Uint8Array<ArrayBuffer> | undefined): Later {
  const { fetchLater } = window as unknown as { fetchLater?: FetchLater };
  let body: Uint8Array<ArrayBuffer> | undefined;
  let armed: AbortController | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const arm = () => {
    timer = undefined;
    const news = snapshot();
    body = news ?? body;
    if (!body || (armed && !news)) return;
    armed?.abort();
    armed = new AbortController();
    try {
      fetchLater!(url, { ...beaconRequest(body, true), signal: armed.signal });
    } catch {
      // The page has given its quota away, or its policy does not allow it.
    }
  };
  return {
    touch: () => void (fetchLater && (timer ??= setTimeout(guard.wrap(arm), REARM_MS))),
    disarm() {
      clearTimeout(timer);
      timer = undefined;
      armed?.abort();
      armed = undefined;
    },
  };
}
