/** A prerendered page may never be seen: nothing is loaded or sent before it is activated. */
export function isPrerendering(): boolean {
  return !!(document as Document & { prerendering?: boolean }).prerendering;
}

export function whenActivated(run: () => void): void {
  if (isPrerendering()) document.addEventListener("prerenderingchange", run, { once: true, capture: true });
  else run();
}
