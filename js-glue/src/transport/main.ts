/** C: no worker may be started, so the page sends by itself, in idle time. */
import type { Guard } from "../lib/guard";
import { whenIdle } from "../lib/when_idle";
import type { Ring } from "../ring";
import { drainRing } from "../worker/drain";
import type { Host } from "../worker/transport";
import type { Transport } from "./transport";

const IDLE_TIMEOUT_MS = 1000;

export function mainTransport(guard: Guard, ring: Ring, host: Host, url: string): Transport {
  let isDraining = false;
  const drain = () => {
    // A drain in progress also takes what was sealed meanwhile.
    if (isDraining) return;
    isDraining = true;
    drainRing(ring, host, url)
      .catch((error) => guard.swallow(error))
      .finally(() => (isDraining = false));
  };
  return {
    name: "main",
    wake: () => whenIdle(guard.wrap(drain), IDLE_TIMEOUT_MS),
    stop: drain,
  };
}
