/**
 * vitrace-bridge.js, loaded by the tag: the second half in the page, and the whole of the worker in a worker. One file
 * for both, because they share the ring and the transport, and the browser has it already when the worker starts.
 */
import { connect } from "./boot";
import { handedOver } from "./hand_over";
import { tagOptions } from "./tag_options";
import { work } from "./worker/worker";

if (typeof document === "undefined") work();
else
  handedOver((watch) => {
    Object.assign(watch.options, tagOptions(watch.options as unknown as Record<string, string>));
    connect(watch);
  });
