/** vitrace-offline.js, loaded by the tag when the page has data-offline. */
import { handedOver } from "./hand_over";
import { startOffline } from "./offline/start_offline";

handedOver((_, script) => script.got?.(startOffline));
