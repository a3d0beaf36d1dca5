/** Safari has no requestIdleCallback: a timer is the next best thing. */
export function whenIdle(run: () => void, timeoutMs: number): void {
  if (typeof requestIdleCallback === "function") requestIdleCallback(run, { timeout: timeoutMs });
  else setTimeout(run, 1);
}
