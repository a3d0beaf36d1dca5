/** The best transport that works on this page, found by trying: isolation flags and ports of engines have disagreed. */
import type { TransportName } from "../bridge/codes";
import type { OwnCore } from "../bridge/memory";
import type { Guard } from "../lib/guard";
import type { UseScript } from "../lib/trusted";
import type { Ring } from "../ring";
import type { ToPage, ToWorker } from "../worker/protocol";
import type { Host } from "../worker/transport";
import { answerOf } from "./answer";
import { mainTransport } from "./main";
import { startWorker, type WorkerSource } from "./start_worker";
import { keepFor, transferTransport } from "./transfer";
import type { Transport } from "./transport";

export interface Choice {
  readonly forced: TransportName | undefined;
  readonly worker: WorkerSource;
  readonly useScript: UseScript;
  readonly beaconUrl: string;
  readonly host: Host;
}

export async function chooseTransport(guard: Guard, core: OwnCore, ring: Ring, choice: Choice): Promise<Transport> {
  const { forced, beaconUrl: url, host } = choice;
  const worker = forced === "main" ? undefined : await startWorker(host, choice.useScript, choice.worker);
  if (worker) {
    const ask = async (message: ToWorker) => {
      const answer = await answerOf(worker, () => worker.postMessage(message));
      return answer?.type === "ready" && answer.ok;
    };
    const offline = !!host.keep;
    if (forced !== "transfer" && crossOriginIsolated) {
      // The worker reads the ring in place. All there is to do here is to wake it.
      const wake = () => ring.notify();
      if (await ask({ type: "shared", url, offline, memory: core.memory, ring: core.ringAddress })) {
        worker.onmessage = ({ data }: MessageEvent<ToPage>) => keepFor(host, data);
        return { name: "shared", wake, stop: wake };
      }
    }
    if (await ask({ type: "transfer", url, offline })) return transferTransport(guard, ring, host, worker);
    worker.terminate();
  }
  return mainTransport(guard, ring, host, url);
}
