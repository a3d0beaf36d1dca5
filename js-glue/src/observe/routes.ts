/**
 * A new view when the path changes in a document that stays. Where the browser has the Navigation API it tells; elsewhere
 * history is wrapped, because pushState and replaceState have no event. Queries, fragments and a replaceState to the same
 * path begin nothing; the fragment of a hash router is a path.
 */
import { NavigationType } from "../abi";
import { isHidden } from "../lib/hidden";
import { listen } from "../lib/listen";
import { pathOf } from "../lib/route";
import { hasSoftNavigations } from "../lib/soft_navigation";
import type { ViewsChoice } from "../types";
import type { ViewFact } from "./page";
import type { Context } from "./source";

/** Where the browser tells of soft navigations by itself, they are the better views. */
export function watchesRoutes(views: ViewsChoice = "auto"): boolean {
  return views === "route-change" || (views === "auto" && !hasSoftNavigations());
}

/** `from`: the URL that the present view began with. A route that has changed since then begins now. */
export function observeRoutes(context: Context, from: string, begin: (view: ViewFact) => void): void {
  let path = pathOf(from);
  const look = ({ timeStamp }: { readonly timeStamp: number }) => {
    const url = location.href;
    const before = path;
    path = pathOf(url);
    if (path === before) return;
    begin({ startTime: timeStamp, type: NavigationType.ROUTE_CHANGE, url, hidden: isHidden() });
  };
  const now = context.guard.wrap(() => look({ timeStamp: performance.now() }));
  const { navigation } = window as { navigation?: EventTarget };
  if (navigation) {
    listen(context, navigation, "currententrychange", look);
  } else {
    for (const type of ["popstate", "hashchange"]) listen(context, window, type, look);
    for (const name of ["pushState", "replaceState"] as const) wrap(context, name, now);
  }
  now();
}

function wrap({ stops }: Context, name: "pushState" | "replaceState", after: () => void): void {
  const original = history[name];
  const isOwn = Object.hasOwn(history, name);
  const wrapped: typeof original = function (this: History, ...args) {
    original.apply(this, args);
    after();
  };
  history[name] = wrapped;
  stops.push(() => {
    // Somebody may have wrapped us meanwhile; then ours stays in the chain, and looks for nobody.
    if (history[name] !== wrapped) return;
    if (isOwn) history[name] = original;
    else delete (history as Partial<History>)[name];
  });
}
