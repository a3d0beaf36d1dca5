/** A new trace for one call, sampled: the application asked for traces of these origins. */
import { hexOf, randomWords } from "./random";

export function newTraceparent(): string {
  const words = randomWords(6);
  // An all-zero id is invalid; forcing one bit costs nothing.
  words[0] |= 1;
  words[4] |= 1;
  return `00-${hexOf(words.subarray(0, 4))}-${hexOf(words.subarray(4))}-01`;
}
