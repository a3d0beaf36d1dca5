/** Random identifiers, as the words that the core takes and the hex that headers carry. */
export type Id128 = readonly number[];

export function randomWords(count: number): Uint32Array {
  return crypto.getRandomValues(new Uint32Array(count));
}

export function randomId(): Id128 {
  return [...randomWords(4)];
}

export function hexOf(words: ArrayLike<number>): string {
  return Array.from(words, (word) => word.toString(16).padStart(8, "0")).join("");
}
