/**
 * The composition root: makes every part, wires them, and takes them down again.
 *
 *   init ── observers subscribe, entries wait in the bridge
 *    │
 *   activated, loaded, idle ── core is fetched and compiled, worker is started
 *    │
 *   both known (or the page is hidden first) ── START, navigation, then what waited; from here batches and segments
 *    │
 *   hidden, pagehide ── drain observers ─► core ─► seal ─► sendBeacon       (again at every hidden)
 */
import { CoreStats, InboxKind, InboxLifecycle, NavigationType } from "./abi";
import { Bridge } from "./bridge/bridge";
import { transportCode } from "./bridge/codes";
import type { StartFact, ViewFact } from "./bridge/marshal";
import { loadCore, type Core } from "./bridge/memory";
import { Pace } from "./bridge/pace";
import { Exit, exitHost } from "./exit/exit";
import { afterPaint } from "./lib/after_paint";
import { customFact } from "./lib/custom";
import { Guard } from "./lib/guard";
import { IdleMark } from "./lib/idle_mark";
import { listen } from "./lib/listen";
import { Origins } from "./lib/origins";
import { ownRequests } from "./lib/own_requests";
import { randomId } from "./lib/random";
import { routeFor } from "./lib/route";
import { sessionId } from "./lib/session";
import { startFact } from "./lib/start_fact";
import { lostByReason, vitalsOf } from "./lib/stats";
import { urlsOf, type Urls } from "./lib/urls";
import { whenActivated } from "./lib/when_activated";
import { whenIdle } from "./lib/when_idle";
import { whenLoaded } from "./lib/when_loaded";
import { observeAll } from "./observe/all";
import { observeError, type ErrorSource } from "./observe/error";
import { pushNavigation } from "./observe/navigation";
import type { LifecycleFact } from "./observe/page";
import type { Context, Source } from "./observe/source";
import { Ring } from "./ring";
import { chooseTransport } from "./transport/choose";
import { mainTransport } from "./transport/main";
import type { Transport } from "./transport/transport";
import type { Attributes, Client, Options, Stats } from "./types";
import { browserHost } from "./worker/transport";

const LOAD_IDLE_TIMEOUT_MS = 2000;
const SEAL_AGE_MS = 10_000;
const BUDGET_MS = 100;

export class Vitrace implements Client {
  private readonly _guard = new Guard();
  private readonly _host = browserHost();
  private readonly _bridge: Bridge;
  private readonly _pace: Pace;
  private readonly _idle: IdleMark;
  private readonly _urls: Urls;
  private readonly _start: StartFact;
  private _sources: Source[] = [];
  private _errors: ErrorSource | undefined;
  private _unlisten: (() => void)[] = [];
  private _core: Core | undefined;
  private _ring: Ring | undefined;
  private _exit: Exit | undefined;
  private _transport: Transport | undefined;
  private _isStopped = false;

  constructor(
    private readonly _options: Options,
    files?: string,
  ) {
    const guard = this._guard;
    this._urls = urlsOf(_options, files);
    this._start = startFact(_options);
    this._bridge = new Bridge(guard, _options.budgetMs ?? BUDGET_MS);
    this._pace = new Pace(guard, this._bridge, _options.flushIntervalMs ?? SEAL_AGE_MS, () => this._transport?.wake());
    const context: Context = { guard, sink: this._bridge };
    this._idle = new IdleMark(context);
    guard.onDisable = () => this._takeDown();
    guard.run(() => this._observe(context));
    whenActivated(() => whenLoaded(() => whenIdle(() => void this._load(), LOAD_IDLE_TIMEOUT_MS)));
  }

  event(name: string, attributes?: Attributes): void {
    this._guard.run(() => {
      if (!this._isStopped) this._bridge.push(InboxKind.CUSTOM_EVENT, customFact(name, attributes));
    });
  }

  error(error: unknown): void {
    this._guard.run(() => {
      if (!this._isStopped) this._errors?.report(error);
    });
  }

  flush(): void {
    this._guard.run(() => {
      this._drain();
      const sealed = this._bridge.flush();
      if (this._bridge.seal(false) || sealed) this._transport?.wake();
    });
  }

  stats(): Stats {
    const core = this._guard.off ? undefined : this._core?.stats();
    const ring = this._ring?.counts();
    return {
      state: this._guard.off ? "disabled" : this._isStopped ? "stopped" : this._bridge.isStarted ? "running" : "waiting",
      reason: this._guard.reason,
      transport: this._transport?.name ?? "",
      mainThreadMs: this._guard.spentMs,
      swallowed: this._guard.swallowed,
      queued: this._bridge.queued,
      entriesSeen: core?.[CoreStats.ENTRIES_SEEN] ?? 0,
      entriesEncoded: core?.[CoreStats.ENTRIES_ENCODED] ?? 0,
      bytesEncoded: core?.[CoreStats.BYTES_ENCODED] ?? 0,
      segmentsSealed: core?.[CoreStats.SEGMENTS_SEALED] ?? 0,
      segmentsSent: ring?.sent ?? 0,
      segmentsAbandoned: ring?.abandoned ?? 0,
      retries: ring?.retries ?? 0,
      lost: lostByReason(core, this._bridge.lostCounts()),
      vitals: vitalsOf(core),
    };
  }

  stop(): void {
    if (this._isStopped) return;
    this._guard.run(() => {
      this._drain();
      const sealed = this._bridge.flush();
      if (this._bridge.seal(true) || sealed) this._transport?.wake();
    });
    this._isStopped = true;
    this._takeDown();
  }

  private _observe(context: Context): void {
    const { beacon, wasm, sdkWorker, workerUrl } = this._urls;
    const trace = this._options.trace ?? [];
    // First of all on window, so that what is pending precedes the hidden record that closes the vitals.
    this._unlisten.push(
      listen(context, window, "visibilitychange", () => {
        if (document.visibilityState === "hidden") this._drain();
      }),
    );
    this._errors = observeError(context);
    this._sources = observeAll(context, {
      idle: this._idle,
      isOwn: ownRequests([beacon, wasm, sdkWorker, workerUrl]),
      origins: trace.length ? new Origins(trace, location.origin) : undefined,
      restored: (time) => this._restore(time),
    });
    // Last of all on document, when every source has seen that the page is hidden.
    this._unlisten.push(
      listen(context, document, "visibilitychange", () => {
        if (document.visibilityState === "hidden") this._leave();
        else this._exit?.stay();
      }),
      listen(context, window, "pagehide", (event) => {
        this._drain();
        const fact: LifecycleFact = { event: InboxLifecycle.PAGEHIDE, time: event.timeStamp };
        this._bridge.push(InboxKind.LIFECYCLE, fact);
        this._leave();
      }),
    );
  }

  private async _load(): Promise<void> {
    try {
      const core = await loadCore(this._host.fetch, this._urls.wasm);
      if (this._guard.off || this._isStopped) return;
      this._guard.run(() => {
        const ring = new Ring(core.memory.buffer, core.ringAddress);
        this._core = core;
        this._ring = ring;
        this._exit = new Exit(ring, exitHost(this._host), this._urls.beacon);
      });
      if (!this._ring) return;
      const transport = await chooseTransport(this._guard, core, this._ring, {
        forced: this._options.transport,
        worker: { workerUrl: this._urls.workerUrl, sdkUrl: this._urls.sdkWorker },
        beaconUrl: this._urls.beacon,
        host: this._host,
      });
      this._guard.run(() => this._begin(transport));
    } catch (error) {
      this._guard.disable("cannot load the core: " + String(error));
    }
  }

  /** The core's first record. Nothing has been sealed before it, so the choice of transport is still open. */
  private _begin(transport: Transport): void {
    if (this._bridge.isStarted || !this._core || this._isStopped) return transport.stop();
    this._transport = transport;
    this._start.transport = transportCode(transport.name);
    this._start.session = sessionId(Date.now());
    this._bridge.start(this._core, this._start, pushNavigation);
    this._pace.start();
  }

  private _drain(): void {
    for (const source of this._sources) source.drain();
    this._idle.settle();
  }

  private _leave(): void {
    if (!this._core || !this._ring) return;
    // No worker has answered yet and there may be no later: the page sends by itself from now on.
    if (!this._bridge.isStarted) this._begin(mainTransport(this._guard, this._ring, this._host, this._urls.beacon));
    this._bridge.flush();
    this._bridge.seal(true);
    this._exit?.leave();
  }

  /** Back from the back/forward cache: a new view, whose first paint is the frame after the next. */
  private _restore(time: number): void {
    const url = location.href;
    const route = routeFor(url, this._options.route);
    const hidden = document.visibilityState === "hidden";
    const fact: ViewFact = { view: randomId(), startTime: time, type: NavigationType.BACK_FORWARD_CACHE, url, route, hidden };
    this._bridge.push(InboxKind.VIEW, fact);
    this._pace.hold();
    afterPaint((painted) =>
      this._guard.run(() => {
        const paint = { name: "first-contentful-paint", startTime: performance.now() };
        if (painted) this._bridge.push(InboxKind.PAINT, paint);
        this._pace.release();
      }),
    );
  }

  private _takeDown(): void {
    this._pace.stop();
    for (const source of this._sources) source.stop();
    this._errors?.stop();
    for (const off of this._unlisten) off();
    this._sources = [];
    this._unlisten = [];
    this._core?.stop();
    this._transport?.stop();
  }
}
