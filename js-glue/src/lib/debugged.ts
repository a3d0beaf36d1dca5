import type { Options } from "../types";

/** Somebody wants to see what the SDK does. */
export function isDebugged({ debug }: Options): boolean {
  return debug || /[?&]vitrace-debug\b/.test(location.search);
}
