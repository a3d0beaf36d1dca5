/** What the second half of the SDK is made of. The files of this folder are its verbs, `boot.ts` puts it together. */
import type { Bridge } from "../bridge/bridge";
import type { OwnCore } from "../bridge/memory";
import type { Pace } from "../bridge/pace";
import type { Later } from "../exit/later";
import type { Id128 } from "../lib/random";
import type { Raw } from "../raw/start_raw";
import type { Ring } from "../ring";
import type { Transport } from "../transport/transport";
import type { Explanation } from "../types";
import type { Watch } from "../watch";
import type { Host } from "../worker/transport";

/** The core, wherever it runs, and what leaves by it. Without a ring of ours there is a transport already. */
export interface Running extends Pick<Raw, "core" | "exit" | "counts"> {
  readonly own?: { readonly core: OwnCore; readonly ring: Ring };
}

export interface Second {
  readonly _watch: Watch;
  readonly _host: Host;
  readonly _bridge: Bridge;
  readonly _pace: Pace;
  _running?: Running | undefined;
  /** The best one, as soon as it is known; `_transport` once the core has begun with it, or with another one. */
  _chosen?: Transport;
  _transport?: Transport;
  _armed?: Later | undefined;
  _isPreparing?: boolean;
  _isNavigationWhole?: boolean;
  _look?: (nowMs: number) => Id128;
  _session?: Id128;
  /** Segments that the next page will report as lost if this one does not come back. */
  _left: number;
  _explain?: Promise<() => Explanation>;
}
