/**
 * The second half of the SDK: makes the core, the bridge and the way out, and empties the watch's queue into them.
 *
 *   bytes ── compiled ── worker said hello ── page loaded ─► START, navigation, then what waited; then batches, segments
 *   hidden, pagehide ── drain observers ─► core ─► seal ─► sendBeacon                          (again at every hidden)
 *
 * Left before any of the steps is done, the rest happens on the spot, as far as the bytes are there.
 */
import { CoreStats, InboxKind, LossReason } from "./abi";
import { Bridge } from "./bridge/bridge";
import { transportCode } from "./bridge/codes";
import { compileCore, compileCoreNow, coreOf, type Compiled, type OwnCore } from "./bridge/memory";
import { pace } from "./bridge/pace";
import { Exit, sendBeacon } from "./exit/exit";
import { later, type Later } from "./exit/later";
import { configFact } from "./lib/config_fact";
import { addLeft, isPrivate, takeLeft } from "./lib/left_early";
import type { Part, PartScript } from "./hand_over";
import type { Item } from "./lib/queue";
import { randomId, type Id128 } from "./lib/random";
import { routeFor, settleRoutes } from "./lib/route";
import { sessionOf } from "./lib/session";
import { startFact } from "./lib/start_fact";
import { lostByReason, vitalsOf } from "./lib/stats";
import { ownRequests } from "./lib/urls";
import { idle } from "./lib/when_idle";
import { observeDeadClicks } from "./observe/dead_clicks";
import { observeElement } from "./observe/element";
import { observeMemory } from "./observe/memory";
import { pushNavigation } from "./observe/navigation";
import { pushNotRestored } from "./observe/not_restored";
import type { ViewFact } from "./observe/page";
import type { StartOffline } from "./offline/start_offline";
import type { Raw, StartRaw } from "./raw/start_raw";
import { observeRageClicks } from "./observe/rage_clicks";
import { observeRoutes, watchesRoutes } from "./observe/routes";
import { observeSoftNavigations } from "./observe/soft_navigation";
import { Ring } from "./ring";
import { chooseTransport } from "./transport/choose";
import { mainTransport } from "./transport/main";
import type { Transport } from "./transport/transport";
import type { Explanation } from "./types";
import type { Engine, Watch } from "./watch";
import { hostOf } from "./worker/transport";

declare const VITRACE_DEBUG_SRI: string;

const IDLE_TIMEOUT_MS = 2000;
const SEAL_AGE_MS = 10_000;

declare const VITRACE_RAW_SRI: string;
declare const VITRACE_OFFLINE_SRI: string;

/** The core, wherever it runs, and what leaves by it. Without a ring of ours there is a transport already. */
interface Running extends Pick<Raw, "core" | "exit" | "counts"> {
  readonly own?: { readonly core: OwnCore; readonly ring: Ring };
}

export function connect(watch: Watch): void {
  const { guard, queue, options, urls, page } = watch;
  const host = hostOf(watch.fetch);
  const bridge = new Bridge(guard, queue);
  const paced = pace(guard, bridge, options.flushIntervalMs ?? SEAL_AGE_MS, () => transport?.wake());
  let running: Running | undefined;
  let chosen: Transport | undefined;
  let transport: Transport | undefined;
  let isAsked = false;
  let isNavigationWhole = false;
  let session: { readonly look: (nowMs: number) => Id128; id: Id128 } | undefined;

  let armed: Later | undefined;
  let leftCounted = 0;

  const run = (compiled: Compiled): void => {
    const core = coreOf(compiled);
    const ring = new Ring(core.memory.buffer, core.ringAddress);
    armed = later(guard, urls.beacon, core.snapshot);
    const { take } = core;
    core.take = (...batch) => (armed?.touch(), take(...batch));
    running = {
      core,
      own: { core, ring },
      exit: new Exit(ring, Object.assign(host, { sendBeacon, packNow: core.pack }), urls.beacon),
      counts: () => ring.counts(),
    };
  };

  /** What a view is called, the watch does not know. */
  const complete = ([kind, item]: Item) => {
    const view = item as ViewFact;
    if (kind !== InboxKind.VIEW || view.view) return;
    view.view = randomId();
    view.route ??= routeFor(view.url, options);
  };

  /** Nothing is stored of who said no. */
  const lookSession = () => session && (watch.isGranted ? (session.id = session.look(Date.now())) : session.id);

  /** The newest item is a view: it gets what it needs, and a new session when the one before has expired. */
  const completeView = () => {
    queue.items.slice(-1).forEach(complete);
    const before = session?.id;
    if (lookSession() !== before) queue.push(InboxKind.SESSION, session!.id);
  };

  /** On their own: a page whose timeline throws still has the rest. */
  const tellNavigation = guard.wrap(pushNavigation);

  /** The core's first records. Nothing has been sealed before, so the choice of transport is still open. */
  const begin = (by: Transport) => {
    if (transport || !running || watch.isStopped || guard.off) return by.stop();
    transport = by;
    isNavigationWhole = watch.isLoaded;
    const left = takeLeft();
    if (left) queue.lose(LossReason.PAGE_LEFT, left);
    const route = settleRoutes(queue, false) ?? routeFor(page.url, options);
    queue.items.forEach(complete);
    const look = sessionOf(options.session);
    session = { look, id: look(Date.now()) };
    const start = startFact(options, page, transportCode(by.name), session.id, route);
    bridge.start(running.core, start, configFact(watch), tellNavigation);
    guard.run(() => pushNotRestored(queue));
    paced.start();
    observeMemory(watch.context);
  };

  /** Compiled aside, and in pieces: no block of the page's main thread is longer than one of the steps. */
  const prepare = async (bytes: ArrayBuffer) => {
    if (options.offline && !isPrivate()) part("offline", VITRACE_OFFLINE_SRI, (start: StartOffline) => start(watch, host));
    let compiled: Compiled | undefined;
    try {
      if (!/^(worker|raw)$/.test(options.transport ?? "")) compiled = await compileCore(bytes);
    } catch {
      // The page's policy, or a browser in lockdown.
    }
    if (guard.off || watch.isStopped) return;
    if (!compiled) return refused(bytes);
    guard.run(() => running || run(compiled));
    await idle(IDLE_TIMEOUT_MS);
    const own = running?.own;
    if (!own || transport) return;
    const found = await chooseTransport(guard, own.core, own.ring, {
      forced: options.transport,
      // With the tag it is the bridge itself, which the browser already has.
      worker: { workerUrl: urls.workerUrl, sdkWorker: `${urls.part}${watch.attribute ? "bridge" : "worker"}.js` },
      useScript: watch.useScript,
      beaconUrl: urls.beacon,
      host,
    });
    // Who debugs sees everything from the first batch on.
    if (engine.isDebugged) await loadDebug().catch((error) => guard.swallow(error));
    chosen = found;
    engine.advance();
  };

  /** A file that only some pages need, and what it gives. */
  const part = (name: "raw" | "offline", integrity: string, got: (start: never) => void): PartScript =>
    Object.assign(watch.load!(name, integrity), { got: got as (start: Part) => void });

  /** Until somebody else runs the core, the page is one that is left early. */
  const refused = (bytes: ArrayBuffer) => {
    watch.bytes = undefined;
    part("raw", VITRACE_RAW_SRI, (start: StartRaw) =>
      start(watch, host, bytes).then(
        (raw) => {
          running = raw;
          chosen = raw.transport;
          watch.bytes = bytes;
          engine.advance();
        },
        (error) => guard.disable("cannot start the core: " + error),
      ),
    ).onerror = () => guard.disable("cannot load the raw inbox");
  };

  const flush = (final: boolean) => {
    watch.drain();
    const sealed = bridge.flush();
    if (bridge.seal(final) || sealed) transport?.wake();
  };

  let explainHow = (_how: () => Explanation) => {};
  let debug: Promise<() => Explanation> | undefined;
  const loadDebug = () =>
    (debug ??= new Promise((resolve, reject) => {
      explainHow = resolve;
      const script = watch.load!("debug", VITRACE_DEBUG_SRI);
      // Loaded without having called us: it was refused, or the SDK is off.
      script.onload = script.onerror = () => reject(new Error("cannot load vitrace-debug.js"));
    }));

  const engine: Engine = {
    advance() {
      if (watch.bytes && !isAsked) {
        isAsked = true;
        prepare(watch.bytes).catch((error) => guard.disable("cannot start the core: " + error));
      }
      if (!watch.isLoaded) return;
      // Whoever was hidden before the load event has told of half a navigation.
      if (transport && !isNavigationWhole) tellNavigation(queue);
      isNavigationWhole = true;
      if (chosen) guard.run(() => begin(chosen!));
    },
    leave(isLeft) {
      if (!running && watch.bytes) run(compileCoreNow(watch.bytes));
      if (!running) return;
      // No worker has answered yet and there may be no later: the page sends by itself from now on.
      if (!transport) begin(chosen ?? mainTransport(guard, running.own!.ring, host, urls.beacon));
      bridge.flush();
      bridge.seal(true);
      countLeft(running.exit.leave(isLeft));
      armed?.disarm();
      lookSession();
    },
    stay() {
      countLeft(0);
      running?.exit.stay();
      armed?.touch();
    },
    hold() {
      completeView();
      paced.hold();
    },
    isDebugged: options.debug || /[?&]vitrace-debug\b/.test(location.search),
    core: () => running?.own?.core,
    explains: (how) => explainHow(how),
    async explain() {
      const explain = await loadDebug();
      guard.run(() => flush(false));
      return explain();
    },
    release: paced.release,
    flush: () => flush(false),
    decide() {
      if (!transport) return false;
      // What the browser keeps for us was seen before: without consent it must not be sent later.
      if (!watch.isGranted) armed = void armed?.disarm();
      // What waits was seen before the decision, and is told before it.
      queue.push(InboxKind.CONFIG, configFact(watch));
      if (!watch.isStopped && bridge.flush()) transport.wake();
      return true;
    },
    stop() {
      flush(true);
      takeDown();
    },
    stats() {
      const core = guard.off ? undefined : running?.core.stats();
      const counts = running?.counts();
      return {
        state: guard.off ? "disabled" : watch.isStopped ? "stopped" : transport ? "running" : "waiting",
        reason: guard.reason,
        transport: transport?.name ?? "",
        mainThreadMs: guard.spentMs,
        swallowed: guard.swallowed,
        queued: queue.items.length,
        entriesSeen: core?.[CoreStats.ENTRIES_SEEN] ?? 0,
        entriesEncoded: core?.[CoreStats.ENTRIES_ENCODED] ?? 0,
        bytesEncoded: core?.[CoreStats.BYTES_ENCODED] ?? 0,
        segmentsSealed: core?.[CoreStats.SEGMENTS_SEALED] ?? 0,
        segmentsDropped: core?.[CoreStats.SEGMENTS_DROPPED] ?? 0,
        budgetLevel: core?.[CoreStats.BUDGET_LEVEL] ?? 0,
        segmentsSent: counts?.sent ?? 0,
        segmentsAbandoned: counts?.abandoned ?? 0,
        retries: counts?.retries ?? 0,
        lost: lostByReason(core, queue.lost),
        vitals: vitalsOf(core),
      };
    },
  };

  /** Of what is sealed: a page that comes back still has it. */
  const countLeft = (now: number) => {
    if (now !== leftCounted) addLeft(now - leftCounted);
    leftCounted = now;
  };

  const takeDown = () => {
    paced.stop();
    armed?.disarm();
    transport?.wake();
    running?.core.stop();
    transport?.stop();
  };
  guard.onDisable = () => {
    watch.takeDown();
    takeDown();
  };
  // What can be had later, by `buffered: true`, or is only worth having later. Each on its own: one that fails is alone.
  if (!watch.isStopped) {
    guard.run(() => observeElement(watch.context));
    guard.run(() => observeRageClicks(watch.context));
    guard.run(() => observeDeadClicks(watch.context, ownRequests(urls)));
    guard.run(() => observeSoftNavigations(watch));
  }
  guard.run(() => {
    watch.engine = engine;
    engine.advance();
    if (!watchesRoutes(options.views)) return;
    observeRoutes(watch.context, page.url, (view) => {
      watch.drain();
      queue.push(InboxKind.VIEW, view);
      completeView();
    });
  });
}
