/** From a compiled core to its first records. */
import { LossReason } from "../abi";
import { transportCode } from "../bridge/codes";
import { coreOf, type Compiled } from "../bridge/memory";
import { Exit, sendBeacon } from "../exit/exit";
import { later } from "../exit/later";
import { configFact } from "../lib/config_fact";
import { takeLeft } from "../lib/left_early";
import { routeFor, settleRoutes } from "../lib/route";
import { startFact } from "../lib/start_fact";
import { pushNavigation } from "../observe/navigation";
import { pushNotRestored } from "../observe/not_restored";
import type { Sink } from "../observe/source";
import { Ring } from "../ring";
import type { Transport } from "../transport/transport";
import type { Second } from "./second";
import { completeViews, openSession } from "./views";

export function run(self: Second, compiled: Compiled): void {
  const { guard, urls } = self._watch;
  const core = coreOf(compiled);
  const ring = new Ring(core.memory.buffer, core.ringAddress);
  self._armed = later(guard, urls.beacon, core.snapshot);
  const { take } = core;
  core.take = (...batch) => (self._armed?.touch(), take(...batch));
  self._running = {
    core,
    own: { core, ring },
    exit: new Exit(ring, Object.assign(self._host, { sendBeacon, packNow: core.pack }), urls.beacon),
    counts: () => ring.counts(),
  };
}

/** On its own: a page whose timeline throws still has the rest. */
export function tellNavigation({ _watch: { guard } }: Second, sink: Sink): void {
  guard.run(() => pushNavigation(sink));
}

/** The core's first records. Nothing has been sealed before, so the choice of transport is still open. */
export function begin(self: Second, by: Transport): void {
  const { _watch: watch, _running: running } = self;
  const { queue, options, page } = watch;
  if (self._transport || !running || watch.isStopped || watch.guard.off) return by.stop();
  self._transport = by;
  self._isNavigationWhole = watch.isLoaded;
  const left = takeLeft();
  if (left) queue.lose(LossReason.PAGE_LEFT, left);
  const route = settleRoutes(queue, false) ?? routeFor(page.url, options);
  completeViews(self, queue.items);
  const start = startFact(options, page, transportCode(by.name), openSession(self), route);
  self._bridge.start(running.core, start, configFact(watch), (sink) => tellNavigation(self, sink));
  watch.guard.run(() => pushNotRestored(queue));
  self._pace.start();
}
