/**
 * vitrace/vue-router: names views by the records of Vue Router 4. It imports nothing of it; what it uses is `afterEach`,
 * `currentRoute` and the `matched` records, whose last one has the whole path.
 */
import { route } from "vitrace";

export interface Location {
  readonly matched: readonly { readonly path: string }[];
}

export interface Router {
  readonly currentRoute: { readonly value: Location };
  afterEach(guard: (to: Location, from: Location, failure?: unknown) => void): () => void;
}

/** `/users/:id` of a location; what a parameter must match, `:id(\\d+)`, is left out. */
export function routeOfLocation({ matched }: Location): string {
  return (matched[matched.length - 1]?.path ?? "").replace(/(:\w+)\((?:\\.|[^\\()]|\((?:\\.|[^\\()])*\))*\)/g, "$1");
}

/** Names the present view and each later one. Returns how to stop. */
export function watchRouter(router: Router, name: (template: string) => void = route): () => void {
  const tell = (to: Location) => {
    try {
      const template = routeOfLocation(to);
      if (template) name(template);
    } catch {
      // Another shape than the router's: the default route stays.
    }
  };
  tell(router.currentRoute.value);
  return router.afterEach((to, _from, failure) => failure || tell(to));
}
