// The query API (collector/api/API.md). Every answer is JSON; an error carries a code and a message for people.
export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

// Kept for this tab only, and sent as a header: no cookie, so no other site can make the browser spend it.
const TOKEN = "vitrace.token";
export function setToken(token) {
  sessionStorage.setItem(TOKEN, token);
}
function authorization() {
  const token = sessionStorage.getItem(TOKEN);
  return token ? { Authorization: `Bearer ${token}` } : {};
}

async function get(path, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== undefined));
  const headers = { Accept: "application/json", ...authorization() };
  const response = await fetch(`/api/v1/${path}${query.size > 0 ? `?${query}` : ""}`, { headers });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, body.error?.code ?? "http", body.error?.message ?? `HTTP ${response.status}`);
  return body;
}

export const apps = () => get("apps");
export const views = (app, limit = 100) => get("views", { app, limit });
export const sessionViews = (app, session, limit = 500) => get("views", { app, session, limit });
export const loss = (app) => get("loss", { app });
export const view = (id) => get(`views/${encodeURIComponent(id)}`);
export const vitals = (app, metric) => get("vitals", { app, metric, group: "route" });
export const joins = (app) => get("joins", { app });
export const rejects = () => get("rejects");
