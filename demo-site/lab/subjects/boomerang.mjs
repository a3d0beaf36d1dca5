// boomerang is plain scripts that meet at window.BOOMR, concatenated as its own build does.
import "boomerangjs/boomerang.js";
import "boomerangjs/plugins/rt.js";
import "boomerangjs/plugins/painttiming.js";
import "boomerangjs/plugins/navtiming.js";
import "boomerangjs/plugins/restiming.js";
import "boomerangjs/plugins/eventtiming.js";
import "boomerangjs/plugins/continuity.js";
import "boomerangjs/plugins/usertiming.js";
import "boomerangjs/plugins/zzz-last-plugin.js";
window.BOOMR.init({ beacon_url: globalThis.LAB_SINK, Continuity: { enabled: true, afterOnload: true }, ResourceTiming: { enabled: true } });
