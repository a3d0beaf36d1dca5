/**
 * The last moment: the page is hidden or left, and may never run again. Every segment that is not acked goes out, each
 * as its own body, from the page itself: a worker's request started now mostly dies with the page. A page that is only
 * hidden may live on and then wants to know what arrived, so it fetches with `keepalive`; one that is left will never
 * know, so it uses sendBeacon. What was fetched while hidden is not sent again when the page is left after all.
 *
 *   newest SEALED (it has the last vitals) ► other SEALED, oldest first ► TAKEN, oldest first      until InFlight is full
 *
 * A SEALED segment is claimed like any consumer would claim it. A TAKEN one belongs to a sender that may not live to
 * finish: its bytes are sent too, without touching its state. The collector drops the duplicate by (view_id, seq).
 */
import { Ring as Layout, RingState } from "../abi";
import type { Ring } from "../ring";
import { beaconRequest, isOffline, type Host } from "../worker/transport";

/** What the exit path needs of the browser; tests bring their own. */
export interface ExitHost extends Pick<Host, "fetch" | "inFlight" | "keep"> {
  /** Makes a body smaller, at once. */
  packNow(body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  /** navigator.sendBeacon: false when the browser's 64 KiB for beacons in flight are used up. */
  sendBeacon(url: string, body: Uint8Array<ArrayBuffer>): boolean;
}

export function sendBeacon(url: string, body: Uint8Array<ArrayBuffer>): boolean {
  try {
    // The bare bytes, without a media type: no preflight either, and making a Blob blocks for milliseconds in Chromium.
    return navigator.sendBeacon?.(url, body) === true;
  } catch {
    // A page's own: fetch may have better luck.
    return false;
  }
}

export class Exit {
  /** Sent since the page was last visible: hidden and pagehide both come when a page is left. Nobody says when they arrive. */
  private readonly _sent = new Map<string, number>();

  constructor(
    private readonly _ring: Ring,
    private readonly _host: ExitHost,
    private readonly _url: string,
  ) {}

  /** Returns how many SEALED segments had to stay: they are lost if the page dies now. `isLeft`: not only hidden. */
  leave(isLeft: boolean): number {
    const ring = this._ring;
    const newest = ring.sealed() - 1 + Layout.SEGMENTS;
    let left = 0;
    for (const state of [RingState.SEALED, RingState.TAKEN]) {
      // Segments are used in turn, so the one after the newest is the oldest.
      for (let n = 0; n < Layout.SEGMENTS; n++) {
        const segment = (newest + n) % Layout.SEGMENTS;
        if (ring.state(segment) === state && !this._send(segment, isLeft)) left += +(state === RingState.SEALED);
      }
    }
    return left;
  }

  /** The page is visible again: a segment that is still TAKEN at the next exit is worth another try. */
  stay(): void {
    for (const key of [...this._sent.keys()]) this._forget(key);
  }

  /** False: there is no room for it now. */
  private _send(segment: number, isLeft: boolean): boolean {
    const ring = this._ring;
    const key = `${segment}:${ring.seq(segment)}`;
    if (this._sent.has(key)) return true;
    // Not ours yet, but here is the producer's thread: whatever a sender does meanwhile, these bytes stand still.
    const plain = ring.copy(segment);
    const body = this._host.packNow(plain);
    if (!this._host.inFlight.take(body.length)) return false;
    this._sent.set(key, body.length);
    const own = ring.takeAt(segment);
    const { keep } = this._host;
    if (own && keep && isOffline()) void keep(plain).catch(() => {});
    // Nobody will tell whether it arrived: the gap in `seq` would, and the collector looks for it.
    else if ((own && !isLeft) || !this._host.sendBeacon(this._url, body)) return !own || this._fetch(segment, key, body);
    if (own) ring.release(segment, true);
    return true;
  }

  private _fetch(segment: number, key: string, body: Uint8Array<ArrayBuffer>): boolean {
    const done = (isSent: boolean) => {
      this._forget(key);
      if (isSent) this._ring.release(segment, true);
      else this._ring.putBack(segment);
    };
    this._host.fetch(this._url, beaconRequest(body, true)).then(
      (response) => done(response.ok),
      () => done(false),
    );
    return true;
  }

  private _forget(key: string): void {
    const size = this._sent.get(key);
    if (size === undefined) return;
    this._sent.delete(key);
    this._host.inFlight.give(size);
  }
}
