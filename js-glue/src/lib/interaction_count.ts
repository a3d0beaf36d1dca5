/**
 * How many interactions the page has had: the browser's count, or web-vitals' estimate from the ids that were seen,
 * which Chromium hands out in steps of 7.
 */
const ID_STEP = 7;

export function hasInteractionCount(): boolean {
  return "interactionCount" in performance;
}

export function interactionCount(): { see(interactionId: number | undefined): void; value(): number } {
  let idMin = Infinity;
  let idMax = 0;
  return {
    see(interactionId) {
      if (!interactionId) return;
      idMin = Math.min(idMin, interactionId);
      idMax = Math.max(idMax, interactionId);
    },
    value: () =>
      (performance as Performance & { interactionCount?: number }).interactionCount ?? (idMax ? (idMax - idMin) / ID_STEP + 1 : 0),
  };
}
