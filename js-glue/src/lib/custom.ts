import { Limits } from "../abi";
import type { Attributes } from "../types";
import type { CustomFact } from "./entries";

/** Copies: the application may change its object before the batch is written. */
export function customFact(name: string, attributes: Attributes | undefined): CustomFact {
  const pairs = Object.entries(attributes ?? {}).slice(0, Limits.ATTRIBUTES_MAX);
  return {
    time: performance.now(),
    name: String(name),
    attributes: pairs.map(([key, value]) => [key, typeof value === "number" && isFinite(value) ? value : String(value)]),
  };
}
