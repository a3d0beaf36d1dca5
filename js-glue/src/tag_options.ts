/**
 * The data attributes that nobody needs before the page has loaded. The others are read in tag.ts; all of them are in
 * js-glue/README.md.
 */
import type { Options } from "./types";

export function tagOptions(text: (name: string) => string | undefined): Partial<Options> {
  const number = (name: string) => (text(name) ? +text(name)! : undefined);
  return {
    app: text("app") ?? "",
    release: text("release"),
    environment: text("environment"),
    route: text("route"),
    transport: text("transport") as Options["transport"],
    flushIntervalMs: number("flush-interval-ms"),
    budget: { mainThreadMsPerMinute: number("budget-ms"), usPerEntry: number("budget-us"), bytes: number("budget-bytes") },
    sampleRate: number("sample-rate"),
    offline: text("offline") !== undefined,
    flightRecorder: text("flight-recorder") !== "false",
  };
}
