// One view: its vitals, its waterfall, its ledger, and the other entries.
import * as api from "./api.js";
import { element, outsideLink } from "./dom.js";
import { METRIC_NAMES, bytes, clockTime, metricValue, milliseconds, ratingClass } from "./format.js";
import { badges } from "./views.js";
import { marksOf, tablesSection } from "./marks.js";
import { clockNote, waterfall } from "./waterfall.js";

function partList(parts) {
  return parts && element("dl", { class: "parts" }, Object.entries(parts).map(([name, value]) => [
    element("dt", {}, name.replaceAll("_", " ")), element("dd", {}, milliseconds(value))]));
}

/** The script that kept the interaction waiting longest: what it is, what started it, and when it did. */
function longestScript(script) {
  const place = [script.source_url, script.source_char_position || ""].filter(Boolean).join(":");
  const what = [script.source_function || "script", script.invoker && `by ${script.invoker}`].filter(Boolean).join(" ");
  return element("p", { class: "target", title: place },
    element("code", {}, what), ` ${milliseconds(script.intersecting)} in ${script.subpart.replaceAll("_", " ")}`,
    place && [element("br"), element("code", {}, place)]);
}

/** Only what the collector could not confirm although it has every entry: silence is no verdict. */
function verdict({ metric, verified, derived }) {
  const instead = derived === undefined ? "" : `: they give ${metricValue(metric, derived)}`;
  return verified === "differs" && element("p", { class: "problem" }, `differs from its entries${instead}`);
}

function vitalCard(vital) {
  const measured = vital.state === "measured";
  return element("article", { class: `card ${ratingClass(measured ? vital.rating : "none")}` },
    element("h2", { title: METRIC_NAMES[vital.metric] }, vital.metric.toUpperCase()),
    element("p", { class: "big" }, measured ? metricValue(vital.metric, vital.value) : "unsupported"),
    verdict(vital),
    vital.target && element("p", { class: "target" }, element("code", {}, vital.target)),
    measured && partList(vital.parts ?? {}),
    vital.frame_parts && [element("h3", {}, "its long frames"), partList(vital.frame_parts)],
    vital.longest_script && longestScript(vital.longest_script));
}

function ledgerSection(view) {
  const ledger = view.ledger;
  const { delivery } = view.view;
  const losses = Object.entries(ledger.losses ?? {}).filter(([, count]) => count > 0);
  const facts = {
    "entries seen": ledger.entries_seen, "entries encoded": ledger.entries_encoded, "beacons claimed": delivery.claimed,
    received: delivery.received, duplicate: delivery.duplicate, lost: delivery.lost, "kept by the recorder": delivery.dropped, "bytes encoded": bytes(ledger.bytes_encoded), "main thread": milliseconds(ledger.main_thread_us / 1000),
    losses: losses.length === 0 ? "none" : losses.map(([reason, count]) => `${reason} ${count}`).join(", "),
  };
  return element("section", {}, element("h2", {}, "Ledger"), element("dl", { class: "facts" },
    Object.entries(facts).map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, String(value))))));
}

function entriesSection(entries) {
  const kinds = Object.entries(entries).filter(([, list]) => Array.isArray(list) && list.length > 0);
  return element("section", {}, element("h2", {}, "Other entries"), kinds.map(([kind, list]) => element("details", {},
    element("summary", {}, `${kind.replaceAll("_", " ")} (${list.length})`),
    element("ol", { class: "entries" }, list.slice(0, 200).map((entry) => element("li", {}, element("code", {}, JSON.stringify(entry))))))));
}

export async function viewPage(id) {
  const answer = await api.view(id);
  const { view } = answer;
  return [
    element("h1", {}, view.route || view.url, " ", badges(view)),
    element("p", { class: "quiet" }, outsideLink(view.url), ` · ${clockTime(view.started_unix_ms)} · ${view.navigation_type} · ${view.transport} · view `, element("code", {}, view.view_id), " · ", element("a", { href: `#/session/${view.session_id}` }, "its session")),
    element("section", { class: "cards" }, answer.vitals.map(vitalCard)),
    element("h2", {}, `${answer.requests.length} requests, ${view.joined.exact_parent + view.joined.exact_trace} joined`),
    clockNote(answer.clock), waterfall(answer, marksOf(answer)), tablesSection(answer.entries), ledgerSection(answer), entriesSection(answer.entries),
    answer.truncated && element("p", { class: "quiet" }, "This view is larger than one answer; the rest was left out."),
  ];
}
