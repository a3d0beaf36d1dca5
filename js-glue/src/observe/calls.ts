/** Tracing of calls, for pages that name origins. With the tag it is a file of its own: most pages do without. */
import { Origins } from "../lib/origins";
import type { Watch } from "../watch";
import { observeFetch } from "./fetch";
import { observeXhr } from "./xhr";

export function observeCalls(watch: Watch): void {
  const origins = new Origins(watch.options.trace ?? [], location.origin);
  watch.guard.run(() => observeFetch(watch.context, origins));
  watch.guard.run(() => observeXhr(watch.context, origins));
}
