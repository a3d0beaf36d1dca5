/**
 * The messages between the page and the worker. Their property names are not mangled: the two halves are separate
 * bundles, and may come from different requests.
 *
 *   worker  hello                          it runs
 *   page    shared | transfer              where the segments come from
 *   worker  ready                          `ok`: it can read the ring (shared only; a port may lose the memory)
 *   page    segment ...      worker done   transfer only, one answer for each
 *   page    stop                           a shared ring says it itself
 *   worker  keep                           a beacon that could not be sent, for a page that keeps such (`offline`)
 *
 * Where the page refuses WebAssembly, the worker runs the core (worker/core.ts):
 *   page    core                           its bytes; worker: ready
 *   page    body ...         worker applied   one answer for each, when its beacons are sent or given up
 */
import type { CoreStatus } from "../abi";
import type { Counts } from "../ring";

export type ToWorker =
  | {
      readonly type: "shared";
      readonly url: string;
      readonly offline: boolean;
      readonly memory: WebAssembly.Memory;
      readonly ring: number;
    }
  | { readonly type: "transfer"; readonly url: string; readonly offline: boolean }
  | ToCore
  | { readonly type: "segment"; readonly segment: number; readonly body: Uint8Array<ArrayBuffer> }
  | { readonly type: "stop" };

export type ToCore =
  | { readonly type: "core"; readonly url: string; readonly wasm: ArrayBuffer }
  | { readonly type: "body"; readonly seq: number; readonly final: boolean; readonly body: Uint8Array<ArrayBuffer> };

export interface Applied {
  readonly type: "applied";
  readonly seq: number;
  readonly status: CoreStatus;
  readonly stats: Float64Array;
  readonly counts: Counts;
}

export type ToPage =
  | Applied
  | { readonly type: "keep"; readonly body: Uint8Array<ArrayBuffer> }
  | { readonly type: "hello" | "ready"; readonly ok: boolean }
  | { readonly type: "done"; readonly segment: number; readonly sent: boolean; readonly retries: number };
