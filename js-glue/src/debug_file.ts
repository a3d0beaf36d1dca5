/**
 * vitrace-debug.js: loaded when somebody asks to see, never by a tag alone. It answers `explain()`, and shows the panel
 * when the page was opened with `?vitrace-debug` or the application said `debug: true`.
 */
import { Kept } from "./debug/kept";
import { isOfPanel, showPanel, type Joined } from "./debug/panel";
import type { Schema } from "./debug/decode";
import { Tally } from "./debug/tally";
import { handedOver } from "./hand_over";
import { isDebugged } from "./lib/debugged";
import type { ExplainedBeacon, Explanation } from "./types";
import type { Watch } from "./watch";

declare const VITRACE_SCHEMA: Schema;

const JOINED_MAX = 200;

const SOURCES: Record<string, string> = {
  CLAIM_SOURCE_INJECTED: "injected",
  CLAIM_SOURCE_SERVER_TIMING_TRACE: "Server-Timing",
  CLAIM_SOURCE_SERVER_TIMING_TRACEPARENT: "Server-Timing",
  CLAIM_SOURCE_SERVER_TIMING_TRACERESPONSE: "Server-Timing",
  CLAIM_SOURCE_META: "meta",
};

const shortUrl = (url: string) => (url.startsWith(location.origin + "/") ? url.slice(location.origin.length) : url.replace(/^https?:\/\//, ""));

interface Request {
  readonly name?: string;
  readonly url?: string;
  readonly claims?: readonly { readonly trace_id: string; readonly source: string }[];
}

function debug(watch: Watch): (() => Explanation) | undefined {
  const core = watch.engine?.core();
  if (!core) return undefined;
  const joined: Joined[] = [];
  let unjoined = 0;
  const readJoins = ({ content }: ExplainedBeacon) => {
    const { navigation, resources, calls } = content as { navigation?: Request; resources?: Request[]; calls?: Request[] };
    for (const request of [...(navigation ? [navigation] : []), ...(resources ?? []), ...(calls ?? [])]) {
      const claim = request.claims?.[0];
      if (!claim) unjoined++;
      else joined.push({ name: shortUrl(request.name ?? request.url ?? ""), trace: claim.trace_id, source: SOURCES[claim.source] ?? claim.source });
    }
    joined.splice(0, joined.length - JOINED_MAX);
  };
  const kept = new Kept(core, VITRACE_SCHEMA, readJoins);
  const explain = (): Explanation => {
    kept.look();
    return { beacons: kept.beacons.map((beacon) => ({ ...beacon })), forgotten: kept.forgotten, stats: watch.client.stats() };
  };
  if (!isDebugged(watch.options)) return explain;
  const host = document.createElement("vitrace-debug");
  const tally = new Tally(watch.queue, isOfPanel(host));
  const close = showPanel(host, { stats: () => watch.client.stats(), tally, joined, unjoined: () => unjoined, explain: () => watch.client.explain() });
  watch.context.stops.push(close);
  return explain;
}

handedOver((watch, script) => {
  try {
    const explain = debug(watch);
    if (explain) script.got?.(explain);
  } catch (error) {
    // Whoever debugs wants to know; the page does not.
    console.warn("vitrace-debug:", error);
  }
});
