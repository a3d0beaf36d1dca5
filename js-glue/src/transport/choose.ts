/** The best transport that works on this page, found by trying: isolation flags and ports of engines have disagreed. */
import type { TransportName } from "../bridge/codes";
import type { Core } from "../bridge/memory";
import type { Guard } from "../lib/guard";
import type { Ring } from "../ring";
import type { ToPage, ToWorker } from "../worker/protocol";
import type { Host } from "../worker/transport";
import { mainTransport } from "./main";
import { sharedTransport } from "./shared";
import { startWorker, type WorkerSource } from "./start_worker";
import { transferTransport } from "./transfer";
import type { Transport } from "./transport";

const READY_MS_MAX = 5000;

export interface Choice {
  readonly forced: TransportName | undefined;
  readonly worker: WorkerSource;
  readonly beaconUrl: string;
  readonly host: Host;
}

export async function chooseTransport(guard: Guard, core: Core, ring: Ring, choice: Choice): Promise<Transport> {
  const url = choice.beaconUrl;
  const worker = choice.forced === "main" ? undefined : await startWorker(choice.host, choice.worker);
  if (!worker) return mainTransport(guard, ring, choice.host, url);
  if (choice.forced !== "transfer" && crossOriginIsolated) {
    const { memory } = core;
    if (await ask(worker, { type: "shared", url, memory, ring: core.ringAddress })) return sharedTransport(ring);
  }
  if (await ask(worker, { type: "transfer", url })) return transferTransport(guard, ring, worker);
  worker.terminate();
  return mainTransport(guard, ring, choice.host, url);
}

function ask(worker: Worker, message: ToWorker): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (ok: boolean) => {
      clearTimeout(timer);
      worker.onmessage = null;
      resolve(ok);
    };
    const timer = setTimeout(() => finish(false), READY_MS_MAX);
    worker.onmessage = ({ data }: MessageEvent<ToPage>) => finish(data.type === "ready" && data.ok);
    try {
      worker.postMessage(message);
    } catch {
      // DataCloneError: this page may not share memory.
      finish(false);
    }
  });
}
