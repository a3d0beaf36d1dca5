/**
 * The second half of the SDK: makes the core, the bridge and the way out, and empties the watch's queue into them.
 *
 *   bytes ── compiled ── worker said hello ── page loaded ─► START, navigation, then what waited; then batches, segments
 *   hidden, pagehide ── drain observers ─► core ─► seal ─► sendBeacon                          (again at every hidden)
 *
 * Left before any of the steps is done, the rest happens on the spot, as far as the bytes are there.
 */
import { InboxKind } from "./abi";
import { Bridge } from "./bridge/bridge";
import { pace } from "./bridge/pace";
import { engineOf, takeDown } from "./engine/engine";
import { observeExtra, type Extra } from "./engine/extra";
import type { Second } from "./engine/second";
import { completeView } from "./engine/views";
import { observeElement } from "./observe/element";
import { observeRoutes, watchesRoutes } from "./observe/routes";
import { observeSoftNavigations } from "./observe/soft_navigation";
import type { Watch } from "./watch";
import { hostOf } from "./worker/transport";

const SEAL_AGE_MS = 10_000;

/** A route that changes begins a view, where the browser does not tell by itself. */
function watchRoutes(self: Second): void {
  const { _watch: watch } = self;
  if (!watchesRoutes(watch.options.views)) return;
  observeRoutes(watch.context, watch.page.url, (view) => {
    watch.drain();
    watch.queue.push(InboxKind.VIEW, view);
    completeView(self);
  });
}

/** `extra`: what the tag loads when it is needed, in the npm package. */
export function connect(watch: Watch, extra?: Extra): void {
  const { guard, queue, options, context, isStopped } = watch;
  const bridge = new Bridge(guard, queue);
  const self: Second = {
    _watch: watch,
    _host: hostOf(watch.fetch),
    _bridge: bridge,
    _pace: pace(guard, bridge, options.flushIntervalMs ?? SEAL_AGE_MS, () => self._transport?.wake()),
    _left: 0,
  };
  const engine = engineOf(self);
  guard.onDisable = () => {
    watch.takeDown();
    takeDown(self);
  };
  const start = () => {
    watch.engine = engine;
    engine.advance();
  };
  // Each on its own: one that fails is alone. First what can be had later, by `buffered: true`, or is only worth having later.
  const more = [() => observeElement(context), () => observeExtra(self, extra), () => observeSoftNavigations(watch)];
  for (const one of [...(isStopped ? [] : more), start, () => watchRoutes(self)]) guard.run(one);
}
