/** How a file that the tag loads finds the watch: a property of its own script element, so that the page's globals stay clean. */
import type { Watch } from "./watch";

declare const VITRACE_HAND_OVER: string | undefined;

/** Another one when what crosses between the files is. Where all is one bundle, nothing crosses. */
export const HAND_OVER = typeof VITRACE_HAND_OVER === "undefined" ? "" : VITRACE_HAND_OVER;

/** A file that only some pages need gives one function. */
export type Part = (...given: never[]) => unknown;

export interface PartScript extends HTMLScriptElement {
  vitrace?: Watch;
  got?: ((part: Part) => void) | undefined;
}

export function handedOver(use: (watch: Watch, script: PartScript) => void): void {
  const script = document.currentScript as PartScript | null;
  const watch = script?.vitrace;
  // In the minutes of an update the files may be of different versions.
  if (watch?.version === HAND_OVER) use(watch, script!);
  else watch?.guard.disable("another version of the SDK is loaded");
}
