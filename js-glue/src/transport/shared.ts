/** A: the page is isolated, the worker reads the ring in place. All there is to do here is to wake it. */
import type { Ring } from "../ring";
import type { Transport } from "./transport";

export function sharedTransport(ring: Ring): Transport {
  return {
    name: "shared",
    wake: () => ring.notify(),
    stop: () => ring.notify(),
  };
}
