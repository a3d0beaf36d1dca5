/** The default route template: path segments that look like identifiers become `:id`. */
const ID = /^(?:\d+|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{16,})$/i;

export function routeOf(path: string): string {
  return path
    .split("/")
    .map((segment) => (ID.test(segment) ? ":id" : segment))
    .join("/");
}

export function routeFor(url: string, route: string | ((url: string) => string) | undefined): string {
  if (typeof route === "string") return route;
  try {
    if (route) return String(route(url));
  } catch {
    // The application's own function failed: the default still groups well.
  }
  return routeOf(new URL(url).pathname);
}
