import type { TransportName } from "../bridge/codes";

/** How sealed segments get from the ring to the network. */
export interface Transport {
  readonly name: TransportName;
  /** At least one segment was sealed or put back. */
  wake(): void;
  /** No more segments will come: send what is there and end. */
  stop(): void;
}
