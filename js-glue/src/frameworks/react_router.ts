/**
 * vitrace/react-router: names views by the routes of React Router. It imports nothing of it; what it uses of the data
 * router (createBrowserRouter, since 6.4) is `state.matches` and `subscribe`.
 */
import { route } from "vitrace";

export interface Match {
  readonly route: { readonly path?: string | undefined };
}

export interface DataRouter {
  readonly state: { readonly matches: readonly Match[] };
  subscribe(listener: (state: { readonly matches: readonly Match[] }) => void): () => void;
}

/** `/users/:id` of the matches from the outermost on, as `state.matches` and `matchRoutes()` give them. */
export function routeOfMatches(matches: readonly Match[]): string {
  let path = "";
  for (const { route } of matches) {
    const part = route?.path ?? "";
    // A path of a child that is absolute has those of its parents in it.
    path = part.startsWith("/") ? part : part ? `${path}/${part}` : path;
  }
  return path.replace(/\/{2,}/g, "/").replace(/(.)\/$/, "$1") || "/";
}

/** Names the present view and each later one. Returns how to stop. */
export function watchRouter(router: DataRouter, name: (template: string) => void = route): () => void {
  const tell = ({ matches }: DataRouter["state"]) => {
    try {
      if (matches.length) name(routeOfMatches(matches));
    } catch {
      // Another shape than the router's: the default route stays.
    }
  };
  tell(router.state);
  return router.subscribe(tell);
}
