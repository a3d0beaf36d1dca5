/**
 * D: the page refuses WebAssembly (its Content-Security-Policy, or a browser in lockdown). The core runs in a worker of
 * the page's own origin, whose policy is its own, or at the collector.
 */
import { CoreStatus, InboxKind, InboxStart } from "../abi";
import type { Core } from "../bridge/memory";
import { sendBeacon } from "../exit/exit";
import { whenIdle } from "../lib/when_idle";
import type { Counts } from "../ring";
import { answerOf } from "../transport/answer";
import { startWorker } from "../transport/start_worker";
import type { Transport } from "../transport/transport";
import type { Watch } from "../watch";
import type { ToCore, ToPage } from "../worker/protocol";
import { deliver, type Host } from "../worker/transport";
import { RawExit } from "./raw_exit";
import { RawInbox, type Waiting } from "./raw_inbox";

const IDLE_TIMEOUT_MS = 1000;
/** The collector's answer to a body whose predecessors it does not have. */
const UNKNOWN_DOCUMENT = 409;
/** A core would shed work step by step; without one there is one step. Default of Budget.mainThreadMsPerMinute. */
const BUDGET_MS = 100;

/** What the second half runs on, instead of a core of its own. */
export interface Raw {
  readonly core: Core;
  readonly transport: Transport;
  readonly exit: { leave(isLeft: boolean): number; stay(): void };
  counts(): Counts;
}

export type StartRaw = (watch: Watch, host: Host, wasm: ArrayBuffer | undefined) => Promise<Raw>;

/** As the core decides (wasm/core/record_config.c): by the session, from 0 to 1. */
function isSampled(start: Float64Array, rate: number): boolean {
  const place = start[InboxStart.SESSION_ID_0] * 2 ** 21 + (start[InboxStart.SESSION_ID_1] >>> 11);
  return !(rate < 1) || place / 2 ** 53 < rate;
}

/** A blob would inherit the page's policy: only a script with an answer of its own helps. */
async function coreWorker({ options, urls, useScript }: Watch, host: Host, wasm: ArrayBuffer): Promise<Worker | undefined> {
  const url = urls.workerUrl ?? urls.part + "worker.js";
  if (options.transport === "raw" || new URL(url).origin !== location.origin) return undefined;
  const worker = await startWorker(host, useScript, { workerUrl: url, sdkWorker: url });
  if (!worker) return undefined;
  const message: ToCore = { type: "core", url: urls.beacon, wasm };
  const answer = await answerOf(worker, () => worker.postMessage(message));
  if (answer?.type === "ready" && answer.ok) return worker;
  worker.terminate();
  return undefined;
}

export const startRaw: StartRaw = async (watch, host, wasm) => {
  const { guard, options, urls } = watch;
  const worker = wasm && (await coreWorker(watch, host, wasm));
  let counts = { sent: 0, abandoned: 0, retries: 0 };
  let isSending = false;
  let isStopped = false;
  // A body means something only behind those before it, on this page: none is kept for a later one.
  const sender: Host = { ...host, keep: undefined };

  const post = ({ seq, final, bytes }: Waiting) => {
    const message: ToCore = { type: "body", seq, final, body: bytes };
    worker!.postMessage(message);
  };
  /** Consent and sampling are the core's business, but what it would not write must not go to a core that is elsewhere. */
  const allows = (words: Float64Array) => {
    const isOut = words[0] === InboxKind.START && !isSampled(words, options.sampleRate ?? 1);
    if (worker) inbox.isCut ||= isOut || !watch.isGranted;
    else if (isOut) guard.disable("left out by sampling");
    else if (!watch.isGranted) guard.disable("without consent");
    else if (isOver()) guard.disable("over the budget");
    return !guard.off;
  };
  const isOver = () => guard.spentMs > (options.budget?.mainThreadMsPerMinute ?? BUDGET_MS) * (1 + performance.now() / 60_000);
  const inbox: RawInbox = new RawInbox((body) => worker && post(body), allows);
  const exit = new RawExit(inbox, { ...host, sendBeacon }, urls.beacon);
  const end = () => isStopped && !inbox.waiting && worker?.terminate();
  if (worker) {
    worker.onmessage = ({ data }: MessageEvent<ToPage>) =>
      guard.run(() => {
        if (data.type !== "applied") return;
        if (data.status < CoreStatus.OK) return guard.disable("core refused a call: " + data.status);
        inbox.latest = data.stats;
        counts = { ...data.counts };
        inbox.done(data.seq, false);
        end();
      });
    // The worker died: what it holds goes to the collector at the exit.
    worker.onerror = (event) => event.preventDefault();
  }

  /** One after the other: the collector applies them in order. One that does not get through holds the next ones back. */
  const send = async () => {
    while (inbox.waiting && !guard.off) {
      const { seq, bytes } = inbox.bodies.find((body) => !body.isDone)!;
      const { sent, retries, refused } = await deliver(sender, urls.beacon, bytes);
      counts.retries += retries;
      // It was restarted, and begins anew with what we still have.
      if (refused === UNKNOWN_DOCUMENT && inbox.again()) continue;
      if (refused) {
        counts.abandoned += inbox.waiting;
        return guard.disable("the collector refuses what this page sends");
      }
      if (!sent) return;
      counts.sent++;
      inbox.done(seq, true);
    }
  };
  const drain = () => {
    if (isSending || worker) return;
    isSending = true;
    send()
      .catch((error) => guard.swallow(error))
      .finally(() => (isSending = false));
  };
  const stop = () => {
    isStopped = true;
    end();
    drain();
  };
  return {
    core: inbox,
    transport: { name: worker ? "worker" : "raw", wake: () => whenIdle(guard.wrap(drain), IDLE_TIMEOUT_MS), stop },
    exit: {
      leave: () => exit.leave((sent) => (counts.sent += sent)),
      stay: () => exit.stay(),
    },
    counts: () => counts,
  };
};
