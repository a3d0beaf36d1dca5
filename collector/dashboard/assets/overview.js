// Vitals by route, and how many requests are joined to the backend.
import * as api from "./api.js";
import { element } from "./dom.js";
import { METRICS, METRIC_NAMES, metricValue, percent, rating, ratingClass } from "./format.js";

function distribution(group) {
  const total = group.good + group.needs_improvement + group.poor;
  const part = (count, name) => count > 0 && element("span", {
    class: `share ${ratingClass(name)}`, "data-share": String(Math.max(1, Math.round((count / total) * 20))), title: `${count} ${name}`,
  });
  return element("span", { class: "distribution" }, part(group.good, "good"), part(group.needs_improvement, "needs-improvement"), part(group.poor, "poor"));
}

function metricCell(metric, group) {
  if (!group || group.count === 0) return element("td", { class: "number quiet" }, "–");
  return element("td", { class: "number", title: `p50 ${metricValue(metric, group.p50)} · p95 ${metricValue(metric, group.p95)} · ${group.count} views` },
    element("strong", { class: ratingClass(rating(metric, group.p75)) }, metricValue(metric, group.p75)), distribution(group));
}

function vitalsTable(answers) {
  const routes = new Map();
  answers.forEach((answer, i) => answer.groups.forEach((group) => {
    if (!routes.has(group.route)) routes.set(group.route, {});
    routes.get(group.route)[METRICS[i]] = group;
  }));
  const count = (groups) => Math.max(...Object.values(groups).map((group) => group.count));
  const rows = [...routes].sort((a, b) => count(b[1]) - count(a[1]));
  return element("table", {},
    element("caption", {}, "75th percentile by route"),
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Route"), element("th", { scope: "col", class: "number" }, "Views"),
      METRICS.map((metric) => element("th", { scope: "col", class: "number", title: METRIC_NAMES[metric] }, metric.toUpperCase())))),
    element("tbody", {}, rows.map(([route, groups]) => element("tr", {}, element("th", { scope: "row" }, route), element("td", { class: "number" }, String(count(groups))),
      METRICS.map((metric) => metricCell(metric, groups[metric]))))));
}

function summary(answers) {
  return element("section", { class: "cards" }, METRICS.map((metric, i) => {
    const all = answers[i].all;
    const known = all && all.count > 0;
    return element("article", { class: `card ${known ? ratingClass(rating(metric, all.p75)) : ""}` },
      element("h2", { title: METRIC_NAMES[metric] }, metric.toUpperCase()),
      element("p", { class: "big" }, known ? metricValue(metric, all.p75) : "–"),
      element("p", { class: "quiet" }, known ? `p75 of ${all.count} views · p95 ${metricValue(metric, all.p95)}` : "no values yet"),
      known && distribution(all));
  }));
}

function coverage(joins) {
  const reasons = Object.entries(joins.reasons).filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1]);
  return element("section", { class: "card wide" },
    element("h2", {}, "Requests joined to their backend trace"),
    element("p", { class: "big" }, percent(joins.coverage)),
    element("p", { class: "quiet" }, `${joins.joined} of ${joins.first_party} first-party requests · exact_parent ${joins.levels.exact_parent} · exact_trace ${joins.levels.exact_trace} · none ${joins.levels.none}`),
    element("ul", { class: "reasons" }, reasons.map(([reason, count]) => element("li", {}, element("code", {}, reason), ` ${count}`))));
}

// What pages say that they sent, and what is here.
function delivery(loss) {
  const { claimed, received, duplicate, lost, dropped } = loss.beacons;
  return element("section", { class: "card wide" },
    element("h2", {}, "Beacons received of those that pages claim"),
    element("p", { class: "big" }, percent(claimed > 0 ? received / claimed : null)),
    element("p", { class: "quiet" }, `claimed ${claimed} · received ${received} · duplicate ${duplicate} · lost ${lost} · kept by the recorder ${dropped} · ${loss.views} views, ${loss.crashed} crashed`));
}

export async function overviewPage(app) {
  const [joins, loss, ...answers] = await Promise.all([api.joins(app), api.loss(app), ...METRICS.map((metric) => api.vitals(app, metric))]);
  return [element("h1", {}, "Vitals"), summary(answers), coverage(joins), delivery(loss), vitalsTable(answers)];
}
