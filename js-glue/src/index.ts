/** The npm package. One client per page: a second init() returns the first one. */
import { connect } from "./boot";
import { urlsOf } from "./lib/urls";
import { observeCalls } from "./observe/calls";
import type { Attributes, Client, Options, Stats } from "./types";
import { watch } from "./watch";

export type { Attributes, AttributeValue, Client, Options, State, Stats } from "./types";

let client: Client | undefined;

/** Starts collecting. Safe where there is no document (server-side rendering): then nothing happens. */
export function init(options: Options): Client | undefined {
  if (client || typeof document === "undefined") return client;
  try {
    const watching = watch(options, urlsOf(options));
    // Bundlers make them files of their own. The page comes first: without them there is still everything else.
    watching.load = (url, _integrity, _priority, got) =>
      (url.endsWith("raw.js")
        ? import("./raw/start_raw").then(({ startRaw }) => got(startRaw))
        : import("./offline/start_offline").then(({ startOffline }) => got(startOffline))
      ).catch(() => {});
    if (options.trace?.length) observeCalls(watching);
    connect(watching);
    client = watching.client;
  } catch {
    // The page comes first: what cannot start here is not the page's problem.
  }
  return client;
}

export function event(name: string, attributes?: Attributes): void {
  client?.event(name, attributes);
}

export function metric(name: string, value: number, more?: Attributes & { unit?: string }): void {
  client?.metric(name, value, more);
}

export function error(thrown: unknown): void {
  client?.error(thrown);
}

/** What the visitor decided: with `consent: "required"` nothing begins before. */
export function consent(granted: boolean): void {
  client?.consent(granted);
}

/** Sends what the flight recorder holds, and everything from now on. */
export function record(): void {
  client?.record();
}

export function flush(): void {
  client?.flush();
}

export function stats(): Stats | undefined {
  return client?.stats();
}

/** After this, init() may start anew. */
export function stop(): void {
  client?.stop();
  client = undefined;
}
