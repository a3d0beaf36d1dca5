/** The sender. Sleeps until a segment is sealed, sends it, frees it. It never looks into a beacon. */
import { Ring } from "../ring";
import { drainRing } from "./drain";
import type { ToPage, ToWorker } from "./protocol";
import { deliver, hostOf } from "./transport";

// The seal wakes us; this only bounds how late a put-back segment or the end is noticed.
const SLEEP_MS = 15_000;
// Without waitAsync the sleep blocks our own messages and timers.
const BLOCK_MS = 1000;

function tell(message: ToPage): void {
  (self as unknown as { postMessage(message: ToPage): void }).postMessage(message);
}

export function work(): void {
  const host = hostOf(fetch.bind(self));
  let beaconUrl = "";
  let last: Promise<void> = Promise.resolve();

  const runShared = async (memory: WebAssembly.Memory, address: number) => {
    let ring: Ring | undefined;
    try {
      ring = new Ring(memory.buffer, address);
    } catch {
      // A port of an engine lost the memory on the way.
    }
    tell({ type: "ready", ok: !!ring });
    if (!ring) return;
    while (!ring.isStopped) {
      // Read before the scan: a seal during the scan makes the sleep return at once.
      const seen = ring.sealed();
      await drainRing(ring, host, beaconUrl);
      if (!ring.isStopped) await ring.sealedChanged(seen, SLEEP_MS, BLOCK_MS);
    }
    await drainRing(ring, host, beaconUrl);
    close();
  };

  self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
    if (data.type === "shared") {
      beaconUrl = data.url;
      void runShared(data.memory, data.ring);
    } else if (data.type === "transfer") {
      beaconUrl = data.url;
      tell({ type: "ready", ok: true });
    } else {
      // One after the other, as from a shared ring. Bounded by the ring: every segment here is TAKEN there.
      last = last.then(async () => {
        if (data.type === "stop") return close();
        const { sent, retries } = await deliver(host, beaconUrl, data.body);
        tell({ type: "done", segment: data.segment, sent, retries });
      });
    }
  };
  tell({ type: "hello", ok: true });
}
