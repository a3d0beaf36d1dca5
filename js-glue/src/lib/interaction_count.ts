/**
 * How many interactions there were: the browser's own count, or web-vitals' estimate from the ids that were seen,
 * which Chromium hands out in steps of 7.
 */
const ID_STEP = 7;

export class InteractionCount {
  private _idMin = Infinity;
  private _idMax = 0;

  static isNative(): boolean {
    return "interactionCount" in performance;
  }

  see(interactionId: number | undefined): void {
    if (!interactionId) return;
    this._idMin = Math.min(this._idMin, interactionId);
    this._idMax = Math.max(this._idMax, interactionId);
  }

  get value(): number {
    if (InteractionCount.isNative()) return (performance as Performance & { interactionCount: number }).interactionCount;
    return this._idMax ? (this._idMax - this._idMin) / ID_STEP + 1 : 0;
  }
}
