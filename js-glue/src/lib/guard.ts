/**
 * The border between the SDK and the page. Everything that the page or the browser calls goes through `wrap`: nothing
 * is thrown outwards, and the time spent inside is metered. After a broken invariant the SDK is off for good.
 */
const SWALLOWED_MAX = 20;

/** No callback of ours takes more. */
type Three = (a?: unknown, b?: unknown, c?: unknown) => void;

export class Guard {
  off = false;
  reason = "";
  swallowed = 0;
  /** Called once, when the SDK is disabled. */
  onDisable: () => void = () => {};
  private _spentMs = 0;
  private _enteredAt = 0;
  private _depth = 0;

  run(body: () => void): void {
    this.wrap(body)();
  }

  /** Observer callbacks run thousands of times: no rest arguments, no inner closure, no allocation. */
  wrap<A extends unknown[]>(body: (...args: A) => void): (...args: A) => void {
    const call = body as unknown as Three;
    const guarded: Three = (a, b, c) => {
      if (this.off) return;
      if (!this._depth++) this._enteredAt = performance.now();
      try {
        call(a, b, c);
      } catch (error) {
        this.swallow(error);
      } finally {
        if (!--this._depth) this._spentMs += performance.now() - this._enteredAt;
      }
    };
    return guarded as unknown as (...args: A) => void;
  }

  disable(reason: string): void {
    if (this.off) return;
    this.off = true;
    this.reason = reason;
    try {
      this.onDisable();
    } catch {
      // Clearing up is best effort: the SDK is already off.
    }
  }

  get spentMs(): number {
    return this._spentMs + (this._depth ? performance.now() - this._enteredAt : 0);
  }

  swallow(error: unknown): void {
    const text = String(error);
    this.reason ||= text;
    if (++this.swallowed > SWALLOWED_MAX) this.disable("too many errors: " + text);
    // A trap leaves the core's memory in an unknown state: nothing may call it again.
    else if ((error as Error | undefined)?.name === "RuntimeError") this.disable("core trapped: " + text);
  }
}
