/** What a view is called, and its session: the watch knows neither. */
import { InboxKind } from "../abi";
import type { Item } from "../lib/queue";
import { randomId, type Id128 } from "../lib/random";
import { routeFor } from "../lib/route";
import { sessionOf } from "../lib/session";
import type { ViewFact } from "../observe/page";
import type { Second } from "./second";

export function completeViews({ _watch: { options } }: Second, items: readonly Item[]): void {
  for (const [kind, item] of items) {
    const view = item as ViewFact;
    if (kind !== InboxKind.VIEW || view.view) continue;
    view.view = randomId();
    view.route ??= routeFor(view.url, options);
  }
}

/** The first look into the browser's storage may take milliseconds. */
export function openSession(self: Second): Id128 {
  self._look ??= sessionOf(self._watch.options.session);
  return (self._session ??= self._look(Date.now()));
}

/** Nothing is stored of who said no. */
export function lookSession(self: Second): void {
  if (self._watch.isGranted) self._session = self._look?.(Date.now());
}

/** The newest item is a view: it gets what it needs, and a new session when the one before has expired. */
export function completeView(self: Second): void {
  const { queue } = self._watch;
  const before = self._session;
  completeViews(self, queue.items.slice(-1));
  lookSession(self);
  if (self._session !== before) queue.push(InboxKind.SESSION, self._session);
}
