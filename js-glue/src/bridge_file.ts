/**
 * vitrace-bridge.js, loaded by the tag: the second half in the page, and the whole of the worker in a worker. One file
 * for both, because they share the ring and the transport, and the browser has it already when the worker starts.
 */
import { connect } from "./boot";
import type { BridgeScript } from "./tag";
import { HAND_OVER } from "./watch";
import { work } from "./worker/worker";

if (typeof document === "undefined") work();
else {
  const watch = (document.currentScript as BridgeScript | null)?.vitrace;
  // In the minutes of an update the two halves may be of different versions.
  if (watch?.version === HAND_OVER) connect(watch);
  else watch?.guard.disable("the bridge is of another version");
}
