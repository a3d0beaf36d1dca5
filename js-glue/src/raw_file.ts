/** vitrace-raw.js, loaded by the tag where the page refuses WebAssembly. */
import { handedOver } from "./hand_over";
import { startRaw } from "./raw/start_raw";

handedOver((_, script) => script.got?.(startRaw));
