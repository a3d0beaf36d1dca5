/** How a file that the tag loads finds the watch: a property of its own script element, so that the page's globals stay clean. */
import type { Watch } from "./watch";

/** Changes when what crosses between the files does. */
export const HAND_OVER = 2;

export interface PartScript extends HTMLScriptElement {
  vitrace?: Watch;
}

export function handedOver(use: (watch: Watch) => void): void {
  const watch = (document.currentScript as PartScript | null)?.vitrace;
  // In the minutes of an update the files may be of different versions.
  if (watch?.version === HAND_OVER) use(watch);
  else watch?.guard.disable("another version of the SDK is loaded");
}
