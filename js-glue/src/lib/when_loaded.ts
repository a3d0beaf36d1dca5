/** One task after the load event, when loadEventEnd is known. */
export function whenLoaded(run: () => void): void {
  const later = () => setTimeout(run, 0);
  if (document.readyState === "complete") later();
  else addEventListener("load", later, { once: true });
}
