/**
 * After the next frame was painted, with true; or at once with false when the page is hidden, which paints no frames,
 * or becomes hidden before it did.
 */
export function afterPaint(run: (painted: boolean) => void): void {
  let isDone = false;
  const finish = (painted: boolean) => {
    if (isDone) return;
    isDone = true;
    removeEventListener("visibilitychange", hide, true);
    run(painted);
  };
  const hide = () => finish(false);
  if (document.visibilityState === "hidden") return finish(false);
  addEventListener("visibilitychange", hide, true);
  requestAnimationFrame(() => requestAnimationFrame(() => finish(true)));
}
