export function isHidden(): boolean {
  return document.visibilityState === "hidden";
}

/**
 * Runs once: when the page becomes hidden, before listeners on document that send the final beacon, or when `start`'s
 * callback comes, whichever is first; at once when the page is hidden. `hidden` tells which.
 */
export function orHidden(run: (hidden: boolean) => void, start: (done: () => void) => void): void {
  let isDone = false;
  const finish = (hidden: boolean) => {
    if (isDone) return;
    isDone = true;
    removeEventListener("visibilitychange", hide, true);
    run(hidden);
  };
  const hide = () => finish(true);
  if (isHidden()) return hide();
  addEventListener("visibilitychange", hide, true);
  start(() => finish(false));
}
