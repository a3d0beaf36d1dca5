/** What the texts of the tag's data attributes mean. All of them are in js-glue/README.md. */
import type { Options } from "./types";

export function tagOptions(texts: Readonly<Record<string, string | undefined>>): Partial<Options> {
  const number = (name: string) => (texts[name] ? +texts[name] : undefined);
  const isThere = (name: string) => texts[name] !== undefined;
  return {
    routes: texts.routes?.split(/\s+/).map((rule) => rule.split("=") as [string, string]),
    queryKeys: texts.queryKeys?.split(/[\s,]+/),
    debug: isThere("debug"),
    flushIntervalMs: number("flushIntervalMs"),
    budget: { mainThreadMsPerMinute: number("budgetMs"), usPerEntry: number("budgetUs"), bytes: number("budgetBytes") },
    sampleRate: number("sampleRate"),
    offline: isThere("offline"),
    flightRecorder: texts.flightRecorder !== "false",
  };
}
