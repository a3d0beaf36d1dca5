/** Route templates: what the application says, or else ids in the path become `:id`. */
import { InboxKind } from "../abi";
import type { Options } from "../types";
import type { Queue } from "./queue";

const ID = /^(?:\d+|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{16,})$/i;

export function routeOf(path: string): string {
  return path
    .split("/")
    .map((segment) => (ID.test(segment) ? ":id" : segment))
    .join("/");
}

/** What a router would call the path: of hash routers (`#/p/7`) it stands in the fragment. */
export function pathOf(url: string): string {
  const { pathname, hash } = new URL(url);
  return hash.startsWith("#/") ? hash.slice(1).replace(/[?#].*/, "") : pathname;
}

/** `*` and `:name` are one segment, `**` is the rest, also none; a slash at the end does not matter. */
function matches(pattern: string, path: string): boolean {
  const source = pattern
    .replace(/[.+?^${}()|[\]\\]/g, "\\$&")
    .replace(/\/\*\*|\*\*?|:\w+/g, (wild) => (wild === "/**" ? "(?:/.*)?" : wild === "**" ? ".*" : "[^/]+"));
  return RegExp(`^${source}/?$`).test(path);
}

export function routeFor(url: string, { route, routes }: Pick<Options, "route" | "routes">): string {
  if (typeof route === "string") return route;
  const path = pathOf(url);
  try {
    const own = route ? route(url) : routes?.find(([pattern]) => matches(pattern, path))?.[1];
    if (own !== undefined) return String(own);
  } catch {
    // The application's own function or pattern failed: the default still groups well.
  }
  return routeOf(path);
}

/**
 * Names that a router gave to views which still wait in the queue become theirs, so that no beacon goes out under the old
 * one. Returns the name for the view before the first of them, and leaves it there once that view `isTold` to the core.
 */
export function settleRoutes(queue: Queue, isTold: boolean): string | undefined {
  // Asked for with every batch, and mostly there is none.
  if (!queue.items.some((item) => item[0] === InboxKind.ROUTE)) return undefined;
  const first: { route?: string | undefined } = {};
  let view = first;
  queue.items = queue.items.filter(([kind, item]) => {
    if (kind === InboxKind.VIEW) view = item as typeof first;
    if (kind !== InboxKind.ROUTE || (isTold && view === first)) return true;
    view.route = item as string;
    return false;
  });
  return first.route;
}
