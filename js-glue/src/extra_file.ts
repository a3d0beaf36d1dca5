/** vitrace-extra.js, loaded by the tag when somebody presses something, and on isolated pages. */
import { handedOver } from "./hand_over";
import { startExtra } from "./observe/extra";

handedOver((_, script) => script.got?.(startExtra));
