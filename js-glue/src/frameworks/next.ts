/**
 * vitrace/next: names views by the routes of Next.js. The pages router knows its templates (`/posts/[id]`); the app router
 * does not tell, so there the values of the parameters are found in the path again.
 */
import { route } from "vitrace";

export interface PagesRouter {
  readonly pathname: string;
  readonly events: {
    on(type: "routeChangeComplete", handler: () => void): void;
    off(type: "routeChangeComplete", handler: () => void): void;
  };
}

/** The default export of `next/router`. Names the present view and each later one. Returns how to stop. */
export function watchPages(router: PagesRouter, name: (template: string) => void = route): () => void {
  const tell = () => {
    try {
      if (router.pathname) name(router.pathname);
    } catch {
      // Until it is ready, the router throws when asked.
    }
  };
  tell();
  router.events.on("routeChangeComplete", tell);
  return () => router.events.off("routeChangeComplete", tell);
}

/** `/posts/[id]` of usePathname() and useParams(): of equal segments the first is taken for the parameter. */
export function routeOfPath(pathname: string | null, params: Readonly<Record<string, string | readonly string[] | undefined>> | null): string {
  const segments = (pathname ?? "/").split("/");
  const decoded = segments.map((segment) => {
    try {
      return decodeURIComponent(segment);
    } catch {
      return segment;
    }
  });
  for (const [name, value] of Object.entries(params ?? {})) {
    if (!value?.length) continue;
    const values = typeof value === "string" ? [value] : value;
    const isAt = (at: number) => values.every((one, n) => decoded[at + n] === one || segments[at + n] === one);
    const at = decoded.findIndex((_, index) => index > 0 && isAt(index));
    if (at < 0) continue;
    const template = typeof value === "string" ? `[${name}]` : `[...${name}]`;
    segments.splice(at, values.length, template);
    decoded.splice(at, values.length, template);
  }
  return segments.join("/");
}
