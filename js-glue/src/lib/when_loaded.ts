/** One task after the load event, when loadEventEnd is known. */
export function whenLoaded(run: () => void): void {
  if (document.readyState === "complete") setTimeout(run, 0);
  else addEventListener("load", () => setTimeout(run, 0), { once: true });
}
