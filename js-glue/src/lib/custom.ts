import type { Attributes } from "../types";
import type { CustomFact } from "./entries";

/** Copies: the application may change its object before the batch is written. */
export function customFact(name: string, attributes?: Attributes): CustomFact {
  return { time: performance.now(), name: name + "", attributes: { ...attributes } };
}
