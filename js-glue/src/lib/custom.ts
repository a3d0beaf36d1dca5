import { Limits } from "../abi";
import type { Attributes } from "../types";
import type { CustomFact, MetricFact } from "./entries";

/** Copies: the application may change its object before the batch is written. */
export function customFact(name: string, attributes: Attributes | undefined): CustomFact {
  return {
    time: performance.now(),
    name: String(name),
    attributes: Object.entries(attributes ?? {})
      .slice(0, Limits.ATTRIBUTES_MAX)
      .map(([key, value]) => [key, Number.isFinite(value) ? (value as number) : String(value)]),
  };
}

export function metricFact(name: string, value: number, { unit, ...attributes }: Attributes & { unit?: string } = {}): MetricFact {
  return { ...customFact(name, attributes), value: +value, unit: unit === undefined ? "" : String(unit) };
}
