// The query API (collector/api/API.md). Every answer is JSON; an error carries a code and a message for people.
export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function get(path, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== undefined));
  const response = await fetch(`/api/v1/${path}${query.size > 0 ? `?${query}` : ""}`, { headers: { Accept: "application/json" } });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, body.error?.code ?? "http", body.error?.message ?? `HTTP ${response.status}`);
  return body;
}

export const apps = () => get("apps");
export const views = (app, limit = 100) => get("views", { app, limit });
export const view = (id) => get(`views/${encodeURIComponent(id)}`);
export const vitals = (app, metric) => get("vitals", { app, metric, group: "route" });
export const joins = (app) => get("joins", { app });
