/**
 * What vitrace.js has anyway. The files that it loads do not bring it again: where one of them imports something that
 * stands here, the build gives it this list's own (build.mjs reads it), by its position.
 */
import { isHidden, orHidden } from "./lib/hidden";
import { addLeft, isPrivate } from "./lib/left_early";
import { isSupported, observe } from "./lib/observe";
import { listen } from "./lib/listen";
import { ownRequests } from "./lib/urls";
import { isInteractionSupported } from "./observe/entries";
import { Queue } from "./lib/queue";
import { selectorOf } from "./lib/selector";
import { whenIdle } from "./lib/when_idle";

export const shared = [addLeft, isHidden, orHidden, isInteractionSupported, isPrivate, isSupported, observe, listen, ownRequests, Queue, selectorOf, whenIdle];
