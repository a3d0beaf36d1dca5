/**
 * The messages between the page and the worker. Their property names are not mangled: the two halves are separate
 * bundles, and may come from different requests.
 *
 *   worker  hello                          it runs
 *   page    shared | transfer              where the segments come from
 *   worker  ready                          `ok`: it can read the ring (shared only; a port may lose the memory)
 *   page    segment ...      worker done   transfer only, one answer for each
 *   page    stop                           transfer only; a shared ring says it itself
 */
export type ToWorker =
  | { readonly type: "shared"; readonly url: string; readonly memory: WebAssembly.Memory; readonly ring: number }
  | { readonly type: "transfer"; readonly url: string }
  | { readonly type: "segment"; readonly segment: number; readonly body: Uint8Array<ArrayBuffer> }
  | { readonly type: "stop" };

export type ToPage =
  | { readonly type: "hello" | "ready"; readonly ok: boolean }
  | { readonly type: "done"; readonly segment: number; readonly sent: boolean; readonly retries: number };
