/**
 * The data attributes that nobody needs before the page has loaded. The others are read in tag.ts; all of them are in
 * js-glue/README.md.
 */
import type { Options } from "./types";

export function tagOptions(attribute: (name: string) => string | null | undefined): Partial<Options> {
  const text = (name: string) => attribute(name) ?? undefined;
  const number = (name: string) => (text(name) ? +text(name)! : undefined);
  return {
    app: text("app") ?? "",
    release: text("release"),
    environment: text("environment"),
    route: text("route"),
    routes: text("routes")?.split(/\s+/).map((rule) => rule.split("=") as [string, string]),
    views: text("views") as Options["views"],
    session: text("session") as Options["session"],
    queryKeys: text("query-keys")?.split(/[\s,]+/),
    debug: text("debug") !== undefined,
    transport: text("transport") as Options["transport"],
    flushIntervalMs: number("flush-interval-ms"),
    budget: { mainThreadMsPerMinute: number("budget-ms"), usPerEntry: number("budget-us"), bytes: number("budget-bytes") },
    sampleRate: number("sample-rate"),
    offline: text("offline") !== undefined,
    flightRecorder: text("flight-recorder") !== "false",
  };
}
