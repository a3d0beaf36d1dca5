/**
 * The core in a worker, for a page that refuses WebAssembly: a worker of the page's own origin has a policy of its own.
 * It gets the bodies that the collector would get, and makes the same beacons of them, byte for byte (proto/WIRE.md, raw
 * inbox): so the page may send the same bodies to the collector when it is left, and what was there already is dropped.
 */
import { compileCore, coreOf, type OwnCore } from "../bridge/memory";
import { applyBody, type BodyClock } from "../raw/body";
import { Ring } from "../ring";
import { drainRing } from "./drain";
import type { ToCore } from "./protocol";
import type { Host } from "./transport";
import type { Tell } from "./worker";

export function coreIn(host: Host, tell: Tell): (message: ToCore) => void {
  const clock: BodyClock = { monoMs: 0, wallMs: 0 };
  let core: OwnCore;
  let ring: Ring;
  let beaconUrl = "";
  let last: Promise<unknown> = Promise.resolve();

  const start = async (wasm: ArrayBuffer) => {
    core = coreOf(await compileCore(wasm), { mono: () => clock.monoMs, wall: () => clock.wallMs });
    ring = new Ring(core.memory.buffer, core.ringAddress);
  };
  const drain = () => drainRing(ring, host, beaconUrl);

  return (message) => {
    if (message.type === "core") {
      beaconUrl = message.url;
      start(message.wasm).then(
        () => tell({ type: "ready", ok: true }),
        () => tell({ type: "ready", ok: false }),
      );
    } else {
      const status = applyBody(core, clock, message.body);
      // The page is being left: what waits for its turn may not live to get it.
      last = message.final ? Promise.all([last, drain()]) : last.then(drain);
      last = last.then(() => tell({ type: "applied", seq: message.seq, status, stats: core.stats().slice(), counts: ring.counts() }));
    }
  };
}
