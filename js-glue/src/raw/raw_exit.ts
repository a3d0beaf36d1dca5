/**
 * The page is left: bodies that are not done go out by sendBeacon. Oldest first, unlike segments: the collector can only
 * use them in order.
 */
import type { ExitHost } from "../exit/exit";
import type { RawInbox } from "./raw_inbox";

export class RawExit {
  private _inFlight: number[] = [];

  constructor(
    private readonly _inbox: RawInbox,
    private readonly _host: Pick<ExitHost, "inFlight" | "sendBeacon">,
    private readonly _url: string,
  ) {}

  /** Returns how many bodies had to stay. */
  leave(onSent: (count: number) => void): number {
    const inbox = this._inbox;
    // Without those before them they mean nothing to the collector: a worker has them, and may live long enough.
    if (inbox.isCut) return 0;
    let sent = 0;
    for (const { seq, bytes } of inbox.bodies.filter((body) => !body.isSent)) {
      if (!inbox.waiting || !this._host.inFlight.take(bytes.length)) break;
      this._inFlight.push(bytes.length);
      if (!this._host.sendBeacon(this._url, bytes)) break;
      inbox.done(seq, true);
      sent++;
    }
    onSent(sent);
    return inbox.waiting;
  }

  stay(): void {
    for (const bytes of this._inFlight.splice(0)) this._host.inFlight.give(bytes);
  }
}
