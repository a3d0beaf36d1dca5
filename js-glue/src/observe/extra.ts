/** What few pages need: rage and dead clicks, once there is a click, and what an isolated page weighs. */
import { ownRequests } from "../lib/urls";
import type { Watch } from "../watch";
import { observeDeadClicks } from "./dead_clicks";
import { observeMemory } from "./memory";
import { observeRageClicks } from "./rage_clicks";

/** `clicks`: those so far. */
export function startExtra({ context, guard, urls }: Watch, clicks: readonly MouseEvent[]): void {
  guard.run(() => observeMemory(context));
  guard.run(() => observeRageClicks(context, clicks));
  guard.run(() => observeDeadClicks(context, ownRequests(urls)));
}
