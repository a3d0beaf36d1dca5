/** The npm package. One client per page: a second init() returns the first one. */
import { connect } from "./boot";
import { urlsOf } from "./lib/urls";
import { observeCalls } from "./observe/calls";
import { startExtra } from "./observe/extra";
import type { PartScript } from "./hand_over";
import type { Attributes, Client, Explanation, Options, Stats } from "./types";
import { watch, type Watch } from "./watch";

export type * from "./types";

let client: Client | undefined;

/** Starts collecting. Safe where there is no document (server-side rendering): then nothing happens. */
export function init(options: Options): Client | undefined {
  if (client || typeof document === "undefined") return client;
  try {
    const watching = watch(options, urlsOf(options));
    watching.load = (name) => loadPart(watching, name);
    if (options.trace?.length) observeCalls(watching);
    connect(watching, startExtra);
    client = watching.client;
  } catch {
    // The page comes first: what cannot start here is not the page's problem.
  }
  return client;
}

function loadPart(watching: Watch, name: string): PartScript {
  const script: PartScript = document.createElement("script");
  script.vitrace = watching;
  script.crossOrigin = "anonymous";
  watching.useScript(`${watching.urls.part}${name}.js`, (allowed) => (script.src = allowed));
  document.head.append(script);
  return script;
}

export function event(name: string, attributes?: Attributes): void {
  client?.event(name, attributes);
}

export function metric(name: string, value: number, more?: Attributes & { unit?: string }): void {
  client?.metric(name, value, more);
}

export function route(template: string): void {
  client?.route(template);
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

/** What was and will be sent; see Client. */
export function explain(): Promise<Explanation> {
  return client ? client.explain() : Promise.reject(new Error("init() comes first"));
}

export function stats(): Stats | undefined {
  return client?.stats();
}

/** After this, init() may start anew. */
export function stop(): void {
  client?.stop();
  client = undefined;
}
