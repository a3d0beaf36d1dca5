/** Random identifiers, as the words that the core takes and the hex that headers carry. */
export type Id128 = readonly [number, number, number, number];

export function randomId(): Id128 {
  const words = crypto.getRandomValues(new Uint32Array(4));
  return [words[0], words[1], words[2], words[3]];
}

export function hexOf(words: ArrayLike<number>): string {
  return Array.from(words, (word) => word.toString(16).padStart(8, "0")).join("");
}

export function idOf(hex: string): Id128 {
  const word = (at: number) => parseInt(hex.slice(at, at + 8), 16);
  return [word(0), word(8), word(16), word(24)];
}
