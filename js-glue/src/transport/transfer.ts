/**
 * B: the memory cannot be shared, so sealed segments are copied out and their copies transferred to the worker. They
 * stay TAKEN until the worker answers: the exit path can still send them.
 */
import type { Guard } from "../lib/guard";
import type { Ring } from "../ring";
import type { ToPage, ToWorker } from "../worker/protocol";
import type { Host } from "../worker/transport";
import type { Transport } from "./transport";

/** The worker gave a beacon up, and has no storage of its own. */
export function keepFor(host: Host, message: ToPage): void {
  if (message.type === "keep") void host.keep?.(message.body).catch(() => {});
}

export function transferTransport(guard: Guard, ring: Ring, host: Host, worker: Worker): Transport {
  worker.onmessage = ({ data }: MessageEvent<ToPage>) =>
    guard.run(() => {
      keepFor(host, data);
      if (data.type !== "done") return;
      if (data.retries) ring.countRetries(data.retries);
      ring.release(data.segment, data.sent);
    });
  const post = (message: ToWorker, transfer: Transferable[] = []) => worker.postMessage(message, transfer);
  return {
    name: "transfer",
    wake() {
      for (let segment = ring.take(); segment >= 0; segment = ring.take()) {
        const body = ring.copy(segment);
        post({ type: "segment", segment, body }, [body.buffer]);
      }
    },
    stop: () => post({ type: "stop" }),
  };
}
