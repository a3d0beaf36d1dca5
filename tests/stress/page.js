// The page of the ring's stress: the real core and ring, the real transports and the real exit path, sealing as fast as
// they can. Every sealed segment's bytes are known by their digest before anybody else can have released them: reclaim
// runs on this thread only, so they stand still until the next open.
import { InboxKind, Ring as Layout, RingHeaderWord, RingSegmentWord } from "../../js-glue/src/abi";
import { Batch } from "../../js-glue/src/bridge/batch";
import { marshal } from "../../js-glue/src/bridge/marshal";
import { instantiateCore } from "../../js-glue/src/bridge/memory";
import { Exit } from "../../js-glue/src/exit/exit";
import { customFact } from "../../js-glue/src/lib/custom";
import { Guard } from "../../js-glue/src/lib/guard";
import { randomId } from "../../js-glue/src/lib/random";
import { Ring } from "../../js-glue/src/ring";
import { chooseTransport } from "../../js-glue/src/transport/choose";
import { InFlight } from "../../js-glue/src/worker/in_flight";
import { hostOf } from "../../js-glue/src/worker/transport";
import { digestOf } from "./digest";
import { randomOf } from "../support/random.mjs";

const SEALED = 1;
const EVENTS_MAX = 4;
const TEXT_MAX = 900;
/** One in so many seals is followed by what a page does when it is hidden and shown again. */
const LEAVE_EVERY = 3;
/** Leaves the thread now and then: answers and messages come between. */
const TURN_SEALS = 50;
const QUIET_MS_MAX = 8000;

const channel = new MessageChannel();
const turn = () => new Promise((resolve) => {
  channel.port1.onmessage = resolve;
  channel.port2.postMessage(0);
});

const start = () => ({
  view: randomId(), session: randomId(), timeOrigin: performance.timeOrigin, transport: 1, supported: 0, app: "stress", release: "", environment: "",
  sdkVersion: "0", url: location.href, route: "/", referrer: "", viewportWidth: 1, viewportHeight: 1, devicePixelRatio: 1,
  hardwareConcurrency: 2, deviceMemory: 1, effectiveType: "", language: "", isolated: crossOriginIsolated, hidden: false, prerendering: false,
  wasDiscarded: false, readyState: 2,
});

/** What the worker saw, from its own channel: its messages to the page are the SDK's. */
function workerLog() {
  const log = new BroadcastChannel("stress");
  return () => new Promise((resolve) => {
    log.onmessage = ({ data }) => data.digests && resolve(data.digests);
    log.postMessage({ ask: true });
  });
}

window.stress = async ({ seals, seconds, seed, transport: forced }) => {
  const random = randomOf(seed), guard = new Guard();
  const core = await instantiateCore(await (await fetch("/vitrace.wasm")).arrayBuffer());
  const ring = new Ring(core.memory.buffer, core.ringAddress);
  const words = new Int32Array(core.memory.buffer, core.ringAddress);
  const data = new Uint8Array(core.memory.buffer, core.ringAddress + words[RingHeaderWord.DATA_OFFSET], Layout.DATA_BYTES);
  const batch = new Batch(core.words);
  const known = [], exits = [], askWorker = workerLog();
  const at = (segment, word) => Atomics.load(words, RingHeaderWord.WORDS + segment * RingSegmentWord.WORDS + word);

  // The way out, as the browser might treat it: refusals, and answers that fail later.
  const host = {
    inFlight: new InFlight(),
    packNow: (body) => body,
    sendBeacon: (_url, body) => random() < 0.75 && !!exits.push(digestOf(body)),
    fetch: (_url, { body }) => new Promise((resolve, reject) => setTimeout(() => {
      if (random() < 0.5) return reject(new Error("no net"));
      exits.push(digestOf(body));
      resolve(new Response(null, { status: 204 }));
    })),
  };
  const exit = new Exit(ring, host, "/beacon");
  const choice = { forced, worker: { workerUrl: "/worker.js", sdkWorker: "" }, useScript: (url, use) => use(url), beaconUrl: "/beacon", host: hostOf(fetch) };
  const transport = await chooseTransport(guard, core, ring, choice);

  const hand = () => {
    const handed = batch.at;
    const status = core.take(handed, batch.encodeStrings(core.strings));
    batch.reset();
    return status;
  };
  const put = (kind, item) => {
    marshal(batch, kind, item);
    batch.commit();
  };
  put(InboxKind.START, start());
  put(InboxKind.CONFIG, { sampleRate: 1, consent: 0, flightRecorder: false, trigger: 0, msPerMinute: 1e12, usPerEntry: 1e12, bytes: 1e12, queryKeys: "" });
  hand();

  let full = 0, leaves = 0, refusedCalls = 0, newest = -1;
  /** The segment that the last seal was about: the newest `seq` of all. */
  const learn = () => {
    let found = -1;
    for (let segment = 0; segment < Layout.SEGMENTS; segment++) {
      if (at(segment, RingSegmentWord.STATE) >= 2 && ring.seq(segment) > newest) {
        found = segment;
        const offset = at(segment, RingSegmentWord.OFFSET);
        known.push(digestOf(data.subarray(offset, offset + at(segment, RingSegmentWord.SIZE))));
      }
    }
    if (found >= 0) newest = ring.seq(found);
    return found >= 0;
  };

  const end = performance.now() + seconds * 1000;
  for (let round = 0; known.length < seals && performance.now() < end; round++) {
    const events = 1 + Math.floor(random() * EVENTS_MAX);
    for (let event = 0; event < events; event++) {
      put(InboxKind.CUSTOM_EVENT, customFact(`round ${round}`, { text: "abcdefghijklmnop".repeat(60).slice(0, random() * TEXT_MAX), event }));
    }
    const taken = hand(), sealed = core.seal(false);
    if (taken < 0 || sealed < 0) refusedCalls++;
    if (taken === SEALED || sealed === SEALED) {
      if (!learn()) throw new Error("sealed, but no new segment");
      transport.wake();
    } else full++;
    if (random() * LEAVE_EVERY < 1) {
      leaves++;
      exit.leave();
      exit.stay();
    }
    if (full || round % TURN_SEALS === 0) await turn();
  }
  const quiet = performance.now() + QUIET_MS_MAX;
  const isDone = () => ring.counts().sent + ring.counts().abandoned >= known.length;
  while (!isDone() && performance.now() < quiet) {
    transport.wake();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const worker = await askWorker();
  return { transport: transport.name, isolated: crossOriginIsolated, all: known.length, sealed: ring.sealed(), full, leaves, refusedCalls, swallowed: guard.swallowed,
    counts: ring.counts(), known, worker, exits };
};
