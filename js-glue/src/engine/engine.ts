/** What the watch asks of the second half (watch.ts). */
import { InboxKind } from "../abi";
import { compileCoreNow } from "../bridge/memory";
import { configFact } from "../lib/config_fact";
import { addLeft } from "../lib/left_early";
import { statsOf } from "../lib/stats";
import { mainTransport } from "../transport/main";
import type { Engine } from "../watch";
import { begin, run, tellNavigation } from "./begin";
import { loadDebug } from "./debug";
import { prepare } from "./prepare";
import type { Second } from "./second";
import { completeView, lookSession } from "./views";

/** Of what is sealed: a page that comes back still has it. */
function countLeft(self: Second, now: number): void {
  if (now !== self._left) addLeft(now - self._left);
  self._left = now;
}

function advance(self: Second): void {
  const { _watch: watch, _chosen: chosen } = self;
  const { bytes, guard, queue } = watch;
  if (bytes && !self._isPreparing) {
    self._isPreparing = true;
    prepare(self, bytes)
      .then(() => advance(self))
      .catch((error) => guard.disable("cannot start the core: " + error));
  }
  if (!watch.isLoaded) return;
  // Whoever was hidden before the load event has told of half a navigation.
  if (self._transport && !self._isNavigationWhole) tellNavigation(self, queue);
  self._isNavigationWhole = true;
  if (chosen) guard.run(() => begin(self, chosen));
}

function leave(self: Second, isLeft: boolean): void {
  const { _watch: { bytes, guard, urls }, _bridge: bridge } = self;
  if (!self._running && bytes) run(self, compileCoreNow(bytes));
  const running = self._running;
  if (!running) return;
  // No worker has answered yet and there may be no later: the page sends by itself from now on.
  if (!self._transport) begin(self, self._chosen ?? mainTransport(guard, running.own!.ring, self._host, urls.beacon));
  bridge.flush();
  bridge.seal(true);
  countLeft(self, running.exit.leave(isLeft));
  self._armed?.disarm();
  lookSession(self);
}

function flush({ _watch: watch, _bridge: bridge, _transport: transport }: Second, final: boolean): void {
  watch.drain();
  const sealed = bridge.flush();
  if (bridge.seal(final) || sealed) transport?.wake();
}

/** False: nothing has begun. */
function decide(self: Second): boolean {
  const { _watch: watch, _transport: transport } = self;
  if (!transport) return false;
  // What the browser keeps for us was seen before: without consent it must not be sent later.
  if (!watch.isGranted) self._armed = void self._armed?.disarm();
  // What waits was seen before the decision, and is told before it.
  watch.queue.push(InboxKind.CONFIG, configFact(watch));
  if (!watch.isStopped && self._bridge.flush()) transport.wake();
  return true;
}

export function takeDown({ _pace, _armed, _transport, _running }: Second): void {
  _pace.stop();
  _armed?.disarm();
  _transport?.wake();
  _running?.core.stop();
  _transport?.stop();
}

export function engineOf(self: Second): Engine {
  const { guard, queue } = self._watch;
  return {
    advance: () => advance(self),
    leave: (isLeft) => leave(self, isLeft),
    stay() {
      countLeft(self, 0);
      self._running?.exit.stay();
      self._armed?.touch();
    },
    hold() {
      completeView(self);
      self._pace.hold();
    },
    release: self._pace.release,
    flush: () => flush(self, false),
    decide: () => decide(self),
    stop() {
      flush(self, true);
      takeDown(self);
    },
    stats: () => statsOf(guard, queue.lost, self._running, self._transport),
    core: () => self._running?.own?.core,
    async explain() {
      const explain = await loadDebug(self);
      guard.run(() => flush(self, false));
      return explain();
    },
  };
}
