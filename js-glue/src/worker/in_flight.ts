/**
 * What of ours may be on its way in requests that outlive the page: sendBeacon and keepalive fetches of a page share
 * 64 KiB in the browser, with the page's own. Over that, requests fail.
 */
const BYTES_MAX = 60_000;
const REQUESTS_MAX = 9;

export class InFlight {
  private _bytes = 0;
  private _requests = 0;

  /** False: it has to wait. Otherwise `give` the same number back when the request has ended. */
  take(bytes: number): boolean {
    if (this._bytes + bytes > BYTES_MAX || this._requests >= REQUESTS_MAX) return false;
    this._bytes += bytes;
    this._requests++;
    return true;
  }

  give(bytes: number): void {
    this._bytes -= bytes;
    this._requests--;
  }
}
