/**
 * A new trace for one call. The random bit (02) is set, because the low 56 bits of the id are random, and whether it is
 * sampled (01) is read from them: who samples by the same bits at the same ratio decides alike. 24 of them are enough.
 */
import { hexOf, randomWords } from "./random";

export function newTraceparent(sampleRate = 1): string {
  const words = randomWords(6);
  // An all-zero id is invalid; forcing one bit outside the 56 costs nothing.
  words[0] |= 1;
  words[4] |= 1;
  const isSampled = (words[2] & 0xffffff) / 0x1000000 >= 1 - sampleRate;
  return `00-${hexOf(words.subarray(0, 4))}-${hexOf(words.subarray(4))}-0${isSampled ? 3 : 2}`;
}
