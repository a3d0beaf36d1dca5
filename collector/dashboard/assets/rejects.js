// What was refused last, and what to do about it.
import * as api from "./api.js";
import { element } from "./dom.js";
import { bytes, clockTime } from "./format.js";

const COLUMNS = ["Time", "Reason", "Status", "Request", "App", "Origin", "From", "Body", "What to do"];

const PROTOCOLS = { http: "", grpc: "gRPC ", tls: "TLS" };

function row(reject) {
  return element("tr", {},
    element("td", { title: new Date(reject.time_unix_ms).toISOString() }, clockTime(reject.time_unix_ms)),
    element("th", { scope: "row", title: reject.series }, reject.reason || reject.code),
    element("td", { class: "number" }, `${PROTOCOLS[reject.protocol]}${reject.status || ""}`),
    element("td", {}, element("code", {}, `${reject.method} ${reject.path}`)),
    element("td", {}, reject.app || "–"),
    element("td", {}, reject.origin_host || "–"),
    element("td", {}, reject.peer),
    element("td", {}, reject.body_bytes > 0 ? `${bytes(reject.body_bytes)} ${reject.body_format}` : "–"),
    element("td", {}, reject.message));
}

export async function rejectsPage() {
  const { rejects, left_out: leftOut } = await api.rejects();
  const note = `Samples: the last ${rejects.length}, at most five a second of one reason. ${leftOut} more were counted in /metrics only.`;
  if (rejects.length === 0) return [element("h1", {}, "Refused"), element("p", { class: "quiet" }, "Nothing has been refused since the collector was started.")];
  return [element("h1", {}, "Refused"), element("p", { class: "quiet" }, note),
    element("table", {}, element("caption", {}, "Requests refused last"),
      element("thead", {}, element("tr", {}, COLUMNS.map((name) => element("th", { scope: "col" }, name)))),
      element("tbody", {}, rejects.map(row)))];
}
