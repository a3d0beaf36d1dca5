/** vitrace-trace.js, loaded by the tag at once when it has data-trace. */
import { handedOver } from "./hand_over";
import { observeCalls } from "./observe/calls";

handedOver(observeCalls);
