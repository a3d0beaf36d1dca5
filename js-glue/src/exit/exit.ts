/**
 * The last moment: the page is hidden or left, and may never run again. Every segment that is not acked goes out by
 * sendBeacon, each as its own body, from the page itself: a worker's request started now mostly dies with the page.
 *
 * A SEALED segment is claimed like any consumer would claim it. A TAKEN one belongs to a sender that may not live to
 * finish: its bytes are sent too, without touching its state. The collector drops the duplicate by (view_id, seq).
 */
import { Ring as Layout } from "../abi";
import type { Ring } from "../ring";
import { beaconRequest, type Host } from "../worker/transport";

/** What the exit path needs of the browser; tests bring their own. */
export interface ExitHost extends Pick<Host, "fetch"> {
  /** navigator.sendBeacon: false when the browser's 64 KiB for beacons in flight are used up. */
  sendBeacon(url: string, body: Uint8Array<ArrayBuffer>): boolean;
}

export function exitHost(host: Host): ExitHost {
  return {
    fetch: host.fetch,
    sendBeacon(url, body) {
      try {
        return navigator.sendBeacon?.(url, body) === true;
      } catch {
        // A page's own: fetch may have better luck.
        return false;
      }
    },
  };
}

export class Exit {
  /** TAKEN segments sent since the page was last visible: hidden and pagehide both come when a page is left. */
  private readonly _copied = new Set<string>();

  constructor(
    private readonly _ring: Ring,
    private readonly _host: ExitHost,
    private readonly _url: string,
  ) {}

  leave(): void {
    for (let segment = 0; segment < Layout.SEGMENTS; segment++) {
      if (this._ring.takeAt(segment)) this._sendOwn(segment);
      else if (this._ring.isTaken(segment)) this._sendCopy(segment);
    }
  }

  /** The page is visible again: a segment that is still TAKEN at the next exit is worth another try. */
  stay(): void {
    this._copied.clear();
  }

  private _sendOwn(segment: number): void {
    const body = this._ring.copy(segment);
    this._copied.add(this._key(segment));
    // Nobody will tell whether it arrived: the gap in `seq` would, and the collector looks for it.
    if (this._beacon(body)) return this._ring.release(segment, true);
    // Refused: fetch may have room, and if the page survives, its answer is a better one.
    this._host.fetch(this._url, { ...beaconRequest(body), keepalive: true }).then(
      (response) => (response.ok ? this._ring.release(segment, true) : this._ring.putBack(segment)),
      () => this._ring.putBack(segment),
    );
  }

  private _sendCopy(segment: number): void {
    const key = this._key(segment);
    if (this._copied.has(key)) return;
    this._copied.add(key);
    this._beacon(this._ring.copy(segment));
  }

  private _beacon(body: Uint8Array<ArrayBuffer>): boolean {
    // The bare bytes, without a media type: no preflight either, and making a Blob blocks for milliseconds in Chromium.
    return this._host.sendBeacon(this._url, body);
  }

  private _key(segment: number): string {
    return `${segment}:${this._ring.seq(segment)}`;
  }
}
