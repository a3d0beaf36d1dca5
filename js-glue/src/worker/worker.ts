/** The sender. Sleeps until a segment is sealed, sends it, frees it. It never looks into a beacon. */
import { Ring } from "../ring";
import { drainRing } from "./drain";
import type { ToPage, ToWorker } from "./protocol";
import { browserHost, deliver, type Host } from "./transport";

// The seal wakes us; this only bounds how late a put-back segment or the end is noticed.
const SLEEP_MS = 15_000;
// Without waitAsync the sleep blocks our own messages and timers.
const BLOCK_MS = 1000;

const host: Host = browserHost();

function tell(message: ToPage): void {
  (self as unknown as { postMessage(message: ToPage): void }).postMessage(message);
}

async function runShared(memory: WebAssembly.Memory, address: number, url: string): Promise<void> {
  let ring: Ring;
  try {
    ring = new Ring(memory.buffer, address);
  } catch {
    return tell({ type: "ready", ok: false });
  }
  tell({ type: "ready", ok: true });
  while (!ring.isStopped) {
    // Read before the scan: a seal during the scan makes the sleep return at once.
    const seen = ring.sealed();
    await drainRing(ring, host, url);
    if (!ring.isStopped) await ring.sealedChanged(seen, SLEEP_MS, BLOCK_MS);
  }
  await drainRing(ring, host, url);
  close();
}

class Outbox {
  private _last: Promise<void> = Promise.resolve();

  constructor(private readonly _url: string) {}

  /** One after the other, as from a shared ring. Bounded by the ring: every segment here is TAKEN there. */
  add(segment: number, body: Uint8Array<ArrayBuffer>): void {
    this._last = this._last.then(async () => {
      const { sent, retries } = await deliver(host, this._url, body);
      tell({ type: "done", segment, sent, retries });
    });
  }

  stop(): void {
    this._last = this._last.then(() => close());
  }
}

let outbox: Outbox | undefined;

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  switch (data.type) {
    case "shared":
      void runShared(data.memory, data.ring, data.url);
      break;
    case "transfer":
      outbox = new Outbox(data.url);
      tell({ type: "ready", ok: true });
      break;
    case "segment":
      outbox?.add(data.segment, data.body);
      break;
    case "stop":
      outbox?.stop();
      break;
  }
};
tell({ type: "hello" });
