// The list of views, newest first; or those of one session, in order.
import * as api from "./api.js";
import { element } from "./dom.js";
import { METRICS, clockTime, metricValue, milliseconds, path, ratingClass } from "./format.js";

function vitalCell(metric, vital) {
  if (!vital) return element("td", { class: "number quiet" }, "–");
  if (vital.state !== "measured") return element("td", { class: "number quiet", title: "this browser cannot measure it" }, "n/a");
  return element("td", { class: "number" }, element("span", { class: ratingClass(vital.rating) }, metricValue(metric, vital.value)));
}

// Why a view is not like the others, each with its reason.
export function badges(view) {
  const { delivery } = view;
  const badge = (name, text, title) => element("span", { class: `badge badge-${name}`, title }, text);
  return [
    view.crashed && badge("crashed", "crashed", "the page ended without a final beacon; the browser sent its last snapshot"),
    view.trigger !== "none" && badge("recorder", `recorder: ${view.trigger}`, "not sampled; the flight recorder sent it because of this"),
    view.sample_rate < 1 && badge("sampled", `1 in ${Math.round(1 / view.sample_rate)}`, "share of sessions that are sampled"),
    delivery.lost > 0 && badge("lost", `${delivery.lost} lost`, `claimed ${delivery.claimed}, received ${delivery.received}`),
    view.navigation_type !== "navigate" && badge("navigation", view.navigation_type.replaceAll("_", " "), "how the view began"),
  ].filter(Boolean).flatMap((one) => [one, " "]);
}

function row(view) {
  const joined = view.joined.exact_parent + view.joined.exact_trace;
  return element("tr", {},
    element("td", {}, clockTime(view.started_unix_ms)),
    element("th", { scope: "row" }, element("a", { href: `#/view/${view.view_id}` }, view.route || path(view.url)), element("small", {}, ` ${path(view.url)} `), badges(view)),
    METRICS.map((metric) => vitalCell(metric, view.vitals[metric])),
    element("td", { class: "number", title: `exact_parent ${view.joined.exact_parent}, exact_trace ${view.joined.exact_trace}, none ${view.joined.none}` }, `${joined} / ${view.requests}`),
    element("td", {}, view.slowest_span ? element("span", {}, `${view.slowest_span.name} `, element("small", {}, `${view.slowest_span.service} · ${milliseconds(view.slowest_span.duration)}`)) : "–"),
    element("td", { class: "number" }, view.errors > 0 ? element("strong", { class: "rating-poor" }, String(view.errors)) : "0"),
    element("td", {}, element("small", {}, view.transport)));
}

export async function viewsPage(app, session) {
  const answer = session ? await api.sessionViews(app, session) : await api.views(app);
  const heads = ["Started", "View", ...METRICS.map((m) => m.toUpperCase()), "Joined", "Slowest backend span", "Errors", "Transport"];
  return [element("h1", {}, session ? "Session" : "Views"),
    session && element("p", { class: "quiet" }, element("code", {}, session), ` · ${answer.views.length} views, in order`),
    answer.views.length === 0 && element("p", { class: "quiet" }, "No views in the last 24 hours."),
    element("table", { class: "views" },
      element("thead", {}, element("tr", {}, heads.map((head, i) => element("th", { scope: "col", class: i > 1 && i < 8 || i === 9 ? "number" : undefined }, head)))),
      element("tbody", {}, answer.views.map(row))),
    answer.truncated && element("p", { class: "quiet" }, session ? "Later views are not shown." : "Older views are not shown.")];
}
