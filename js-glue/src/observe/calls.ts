/** Tracing of calls, for pages that name origins. With the tag it is a file of its own: most pages do without. */
import { CallTags } from "../lib/call_tags";
import { Injection } from "../lib/injection";
import { Origins } from "../lib/origins";
import type { Watch } from "../watch";
import { observeFetch } from "./fetch";
import { observeXhr } from "./xhr";

export function observeCalls({ options, guard, context }: Watch): void {
  guard.run(() => {
    const injection = new Injection(guard, new Origins(options.trace ?? [], location.origin), options.tracing);
    const tags = new CallTags(options.tracing);
    observeFetch(context, injection, tags);
    observeXhr(context, injection, tags);
  });
}
