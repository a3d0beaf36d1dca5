/** The sender. Sleeps until a segment is sealed, sends it, frees it. It never looks into a beacon. */
import { Ring } from "../ring";
import { drainRing } from "./drain";
import { pack } from "./pack";
import type { ToCore, ToPage, ToWorker } from "./protocol";
import { deliver, hostOf, type Host } from "./transport";

// The seal wakes us; this only bounds how late a put-back segment or the end is noticed.
const SLEEP_MS = 15_000;
// Without waitAsync the sleep blocks our own messages and timers.
const BLOCK_MS = 1000;

export type Tell = (message: ToPage) => void;

/** `core`: takes the messages of pages that run the core here; only the worker's own file has it. */
export function work(core?: (host: Host, tell: Tell) => (message: ToCore) => void): void {
  const tell: Tell = (message) => (self as unknown as { postMessage: Tell }).postMessage(message);
  const host = hostOf(fetch.bind(self), pack);
  const takeCore = core?.(host, tell);
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
    switch (data.type) {
      case "shared":
      case "transfer":
        beaconUrl = data.url;
        // The page has the storage: there is one way to it, whatever the transport.
        if (data.offline) host.keep = async (body) => tell({ type: "keep", body });
        if (data.type === "shared") void runShared(data.memory, data.ring);
        else tell({ type: "ready", ok: true });
        return;
      case "segment":
        // One after the other, as from a shared ring. Bounded by the ring: every segment here is TAKEN there.
        last = last.then(async () => {
          const { sent, retries } = await deliver(host, beaconUrl, data.body);
          tell({ type: "done", segment: data.segment, sent, retries });
        });
        return;
      case "stop":
        void last.then(close);
        return;
      default:
        if (takeCore) takeCore(data);
        else tell({ type: "ready", ok: false });
    }
  };
  tell({ type: "hello", ok: true });
}
