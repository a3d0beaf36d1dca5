/** Which origins get a `traceparent`, and which lost that because a call of theirs failed. */
export class Origins {
  private readonly _allowed: Set<string>;
  private readonly _blocked = new Set<string>();
  private readonly _own: string;

  constructor(trace: readonly string[], own: string) {
    this._own = own;
    this._allowed = new Set(trace.map((origin) => originOf(origin, own)));
  }

  lists(origin: string): boolean {
    return this._allowed.has(origin);
  }

  mayInject(origin: string): boolean {
    return this._allowed.has(origin) && !this._blocked.has(origin);
  }

  /**
   * A cross-origin call with our header failed below HTTP. It may be a refused preflight, which the header caused, and
   * the page must not suffer for it twice. The list stays bounded: only allowed origins get into it.
   */
  block(origin: string): void {
    if (origin !== this._own) this._blocked.add(origin);
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
