/** The core and the way out, found by trying, aside and in pieces: no block of the page's main thread is longer than one step. */
import { compileCore, type Compiled } from "../bridge/memory";
import { isDebugged } from "../lib/debugged";
import { idle } from "../lib/idle";
import { isPrivate } from "../lib/left_early";
import type { StartOffline } from "../offline/start_offline";
import type { StartRaw } from "../raw/start_raw";
import { chooseTransport } from "../transport/choose";
import { run } from "./begin";
import { loadDebug } from "./debug";
import { part } from "./part";
import type { Second } from "./second";
import { openSession } from "./views";

declare const VITRACE_RAW_SRI: string;
declare const VITRACE_OFFLINE_SRI: string;

const IDLE_TIMEOUT_MS = 2000;

/** Resolves when there is a transport, or the page needs none any more. */
export async function prepare(self: Second, bytes: ArrayBuffer): Promise<void> {
  const { _watch: watch, _host: host } = self;
  const { options, guard } = watch;
  // Refused, there is still everything else.
  if (options.offline && !isPrivate()) {
    part<StartOffline>(watch, "offline", VITRACE_OFFLINE_SRI).then(guard.wrap((start) => start(watch, host)), () => {});
  }
  let compiled: Compiled | undefined;
  try {
    if (!/^(worker|raw)$/.test(options.transport ?? "")) compiled = await compileCore(bytes);
  } catch {
    // The page's policy, or a browser in lockdown.
  }
  if (guard.off || watch.isStopped) return;
  if (!compiled) return refused(self, bytes);
  guard.run(() => self._running || run(self, compiled));
  await idle(IDLE_TIMEOUT_MS);
  if (!watch.isStopped) openSession(self);
  await idle(IDLE_TIMEOUT_MS);
  await choose(self);
}

async function choose(self: Second): Promise<void> {
  const { _watch: { guard, options, urls, useScript, isTag }, _host: host } = self;
  const own = self._running?.own;
  if (!own || self._transport) return;
  const found = await chooseTransport(guard, own.core, own.ring, {
    forced: options.transport,
    // With the tag it is the bridge itself, which the browser already has.
    worker: { workerUrl: urls.workerUrl, sdkWorker: `${urls.part}${isTag ? "bridge" : "worker"}.js` },
    useScript,
    beaconUrl: urls.beacon,
    host,
  });
  // Who debugs sees everything from the first batch on.
  if (isDebugged(options)) await loadDebug(self).catch((error) => guard.swallow(error));
  self._chosen = found;
}

/** Until somebody else runs the core, the page is one that is left early. */
async function refused(self: Second, bytes: ArrayBuffer): Promise<void> {
  const { _watch: watch, _host: host } = self;
  watch.bytes = undefined;
  const start = await part<StartRaw>(watch, "raw", VITRACE_RAW_SRI);
  const raw = await start(watch, host, bytes);
  self._running = raw;
  self._chosen = raw.transport;
  watch.bytes = bytes;
}
