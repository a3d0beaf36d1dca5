/**
 * Tells equal calls apart: the browser keeps the fragment of a URL in the name of its timing entry and never sends it. A
 * tag is spent only on a call whose entry could be another's, that is, while one to the same path is in flight or has
 * just ended. (The same path, because the query does not leave the page.)
 */
import type { TracingOptions } from "../types";

const PATHS_MAX = 100;
/** As long as a call's entry may be on its way. */
const SETTLE_MS = 1000;
/** The core cuts longer URLs, and the tag would go first. */
const URL_CHARS_MAX = 400;

interface Traffic {
  open: number;
  endedAt: number;
}

export class CallTags {
  private readonly _traffic = new Map<string, Traffic>();
  private readonly _except: string[];
  private readonly _isOn: boolean;
  private _last = 0;

  constructor({ fragmentTag }: TracingOptions = {}) {
    this._except = [...(typeof fragmentTag === "object" ? fragmentTag.except : [])];
    // Nobody has tried what Safari does with it.
    this._isOn = !!fragmentTag && !/AppleWebKit(?!.*Chrom(e|ium)\/)/.test(navigator.userAgent);
  }

  /** The call's tag; 0 = none. A service worker would see the fragment, and so would code that looks at its own. */
  choose({ href, origin, pathname }: URL): number {
    const traffic = this._traffic.get(origin + pathname);
    const isShared = traffic && (traffic.open || performance.now() - traffic.endedAt < SETTLE_MS);
    const isAllowed =
      this._isOn && !/#/.test(href) && href.length < URL_CHARS_MAX && !navigator.serviceWorker?.controller && !this._except.some((url) => href.startsWith(url));
    return isShared && isAllowed ? ++this._last : 0;
  }

  begin({ origin, pathname }: URL): void {
    if (!this._isOn) return;
    const traffic = this._traffic.get(origin + pathname);
    if (traffic) traffic.open++;
    else if (this._traffic.size < PATHS_MAX || this._sweep()) this._traffic.set(origin + pathname, { open: 1, endedAt: 0 });
  }

  end({ origin, pathname }: URL): void {
    const traffic = this._traffic.get(origin + pathname);
    if (!traffic) return;
    traffic.open = Math.max(0, traffic.open - 1);
    traffic.endedAt = performance.now();
  }

  /** A tagged call failed below HTTP: the tag is the least likely reason, and the only one that we can take away. */
  failed({ origin }: URL): void {
    if (!this._except.includes(origin)) this._except.push(origin);
  }

  private _sweep(): boolean {
    const before = this._traffic.size;
    for (const [path, { open, endedAt }] of this._traffic) if (!open && performance.now() - endedAt > SETTLE_MS) this._traffic.delete(path);
    return this._traffic.size < before;
  }
}

export function tagged({ href }: URL, tag: number): string {
  return `${href}#vt-${tag}`;
}
