/** Empties the ring, oldest first, one beacon at a time: while the collector is away the rest waits where it lies. */
import type { Ring } from "../ring";
import { deliver, type Host } from "./transport";

export async function drainRing(ring: Ring, host: Host, url: string): Promise<void> {
  for (let segment = ring.take(); segment >= 0; segment = ring.take()) {
    const { sent, retries } = await deliver(host, url, ring.copy(segment));
    if (retries) ring.countRetries(retries);
    ring.release(segment, sent);
  }
}
