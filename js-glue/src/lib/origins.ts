/** Which URLs get a `traceparent`, and which lost that because a call of theirs failed. */

/** Paths of the page's own origin that may be blocked one by one; then the whole origin is. */
const PATHS_MAX = 100;

export class Origins {
  private readonly _allowed: Set<string>;
  private readonly _blocked = new Set<string>();
  private readonly _own: string;

  constructor(trace: readonly string[], own: string) {
    this._own = own;
    this._allowed = new Set(trace.map((origin) => originOf(origin, own)));
  }

  /** A blob: URL has an origin, too, but nobody to trace. */
  lists(url: URL): boolean {
    return /^http/.test(url.protocol) && this._allowed.has(url.origin);
  }

  mayInject(url: URL): boolean {
    return this.lists(url) && !this._blocked.has(url.origin) && !this._blocked.has(url.origin + url.pathname);
  }

  /**
   * A call with our header failed below HTTP. It may be a refused preflight, which the header caused, and the page must
   * not suffer for it twice. On the page's own origin that can only be a redirect to another one, so it is one path. The
   * list stays bounded: origins in it are allowed ones.
   */
  block(url: URL): void {
    const isPath = url.origin === this._own && this._blocked.size < PATHS_MAX;
    this._blocked.add(url.origin + (isPath ? url.pathname : ""));
  }
}

function originOf(text: string, own: string): string {
  if (text === "same-origin") return own;
  try {
    return new URL(text).origin;
  } catch {
    return "";
  }
}
