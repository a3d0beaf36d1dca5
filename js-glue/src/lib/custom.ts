import type { Attributes } from "../types";
import type { CustomFact, MetricFact } from "./entries";

/** Copies: the application may change its object before the batch is written. */
export function customFact(name: string, attributes?: Attributes): CustomFact {
  return { time: performance.now(), name: name + "", attributes: { ...attributes } };
}

export function metricFact(name: string, value: number, { unit = "", ...more }: Attributes & { unit?: string } = {}): MetricFact {
  return { ...customFact(name, more), value: +value, unit: unit + "" };
}
