// A route table and a bounded body reader: all of HTTP that two small services need beyond node:http.
import { trace } from "@opentelemetry/api";

const BODY_BYTES_MAX = 16 * 1024;

export class HttpError extends Error {
  constructor(status, message, headers = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

// rows: [method, "/p/:id", handler]. A parameter matches one path segment.
export function compileRoutes(rows) {
  return rows.map(([method, path, handle]) => {
    const pattern = path.replace(/[.]/g, "\\.").replace(/:(\w+)/g, "(?<$1>[^/]+)");
    return { method, path, handle, pattern: new RegExp(`^${pattern}$`) };
  });
}

export function findRoute(routes, method, pathname) {
  const wanted = method === "HEAD" ? "GET" : method;
  for (const route of routes) {
    const match = route.method === wanted && route.pattern.exec(pathname);
    if (match) return { route, params: { ...match.groups } };
  }
  return undefined;
}

// The server span that the HTTP instrumentation opened for this request learns its route; without it a trace view
// would list one operation per product.
export function nameServerSpan(method, route) {
  const span = trace.getActiveSpan();
  span?.setAttribute("http.route", route);
  span?.updateName(`${method} ${route}`);
  return span;
}

export async function readJson(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) throw new HttpError(413, "body too large");
    chunks.push(chunk);
  }
  if (size === 0) return {};
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw new HttpError(400, "body is not JSON");
  }
}

export function wholeNumber(text, { min, max, name }) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max) throw new HttpError(400, `${name} must be ${min}..${max}`);
  return value;
}
