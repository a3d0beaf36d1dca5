/**
 * Runs in the page: what one resource entry costs on each path, over real entries of the browser. The floor reads every
 * field and drops it; whoever observes and reads cannot cost less, unless by not reading what is implied.
 */
import { CoreStats, InboxKind } from "../src/abi";
import { Batch } from "../src/bridge/batch";
import { marshal, type StartFact } from "../src/bridge/marshal";
import { instantiateCore, type Core } from "../src/bridge/memory";
import { Ring } from "../src/ring";

const NUMBERS =
  "startTime duration workerStart redirectStart redirectEnd fetchStart domainLookupStart domainLookupEnd connectStart connectEnd " +
  "secureConnectionStart requestStart responseStart responseEnd transferSize encodedBodySize decodedBodySize responseStatus " +
  "firstInterimResponseStart finalResponseHeadersStart";
const STRINGS = "name initiatorType nextHopProtocol renderBlockingStatus deliveryType";
// Unrolled, as good hand-written code would be: a loop over names would make the floor dearer than it is.
const TIMINGS = "for(const t of e.serverTiming)n+=t.name.length+t.description.length+t.duration;";
const floor = new Function("e", `let n=${NUMBERS.split(" ").map((name) => `(+e.${name}||0)`).join("+")}+${STRINGS.split(" ").map((name) => `e.${name}.length`).join("+")};${TIMINGS}return n`) as (
  entry: PerformanceEntry,
) => number;

interface Path {
  take(entries: PerformanceEntry[]): void;
  /** Bytes that left for the wire since the last call. */
  bytes(): number;
}

let sunk = 0;
const floorPath = (): Path => ({
  take(entries) {
    for (const entry of entries) sunk += floor(entry);
  },
  bytes: () => 0,
});

function jsonPath(): Path {
  let bytes = 0;
  return {
    take: (entries) => void (bytes += JSON.stringify(entries).length),
    bytes: () => [bytes, (bytes = 0)][0]!,
  };
}

const startFact = (): StartFact => ({
  view: [1, 2, 3, 4], session: [5, 6, 7, 8], timeOrigin: performance.timeOrigin, transport: 2, supported: 31, app: "bench",
  release: "", environment: "", sdkVersion: "bench", url: location.href, route: "/", referrer: "", viewportWidth: 1, viewportHeight: 1,
  devicePixelRatio: 1, hardwareConcurrency: 1, deviceMemory: 1, effectiveType: "", language: "", isolated: true, hidden: false,
  prerendering: false, wasDiscarded: false, readyState: 2,
});

/** Everything that the SDK does with an entry on the main thread, up to the sealed segment that a worker may read. */
function corePath(core: Core): Path {
  const batch = new Batch(core.words);
  const ring = new Ring(core.memory.buffer, core.ringAddress);
  const hand = () => {
    core.take(batch.at, batch.encodeStrings(core.strings));
    batch.reset();
  };
  const drain = () => {
    for (let segment = ring.take(); segment >= 0; segment = ring.take()) ring.release(segment, true);
  };
  let seen = 0;
  // As in the SDK, whose first batch is the start and the navigation.
  marshal(batch, InboxKind.START, startFact());
  batch.commit();
  marshal(batch, InboxKind.NAVIGATION, performance.getEntriesByType("navigation")[0]);
  batch.commit();
  hand();
  return {
    take(entries) {
      for (const entry of entries) {
        marshal(batch, InboxKind.RESOURCE, entry);
        if (batch.commit()) continue;
        hand();
        marshal(batch, InboxKind.RESOURCE, entry);
        batch.commit();
      }
      if (!batch.isEmpty) hand();
      drain();
    },
    bytes() {
      core.seal(false);
      drain();
      const total = core.stats()[CoreStats.BYTES_ENCODED]!;
      const since = total - seen;
      seen = total;
      return since;
    },
  };
}

async function pathOf(name: string): Promise<Path> {
  if (name === "floor") return floorPath();
  if (name === "json") return jsonPath();
  return corePath(await instantiateCore(await (await fetch("/entries.wasm")).arrayBuffer()));
}

let entries: PerformanceEntry[] = [];

/** `distinct`: how many URLs the entries share. */
async function prepare(count: number, distinct: number): Promise<number> {
  performance.setResourceTimingBufferSize(count + 100);
  let made = 0;
  const lane = async () => {
    while (made < count) {
      const n = made++ % distinct;
      await (await fetch(`/api/catalog/items/${100000 + n}/details?page=${n}&sort=price&category=everything-that-is-long`)).arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: 6 }, lane));
  entries = performance.getEntriesByType("resource").filter(({ name }) => name.includes("/api/catalog/"));
  return entries.length;
}

/** Interleaved rounds over all entries; the first third only warms up. Microseconds an entry of each path. */
async function hot(names: string[], rounds: number): Promise<{ us: number[]; bytes: number }[]> {
  const paths = await Promise.all(names.map(pathOf));
  const results = names.map(() => ({ us: [] as number[], bytes: 0 }));
  for (let round = 0; round < rounds; round++) {
    paths.forEach((path, at) => {
      const began = performance.now();
      path.take(entries);
      const us = ((performance.now() - began) * 1000) / entries.length;
      if (round >= rounds / 3) results[at]!.us.push(us);
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  paths.forEach((path, at) => {
    path.bytes();
    path.take(entries);
    results[at]!.bytes = path.bytes() / entries.length;
  });
  return results;
}

/** The first entries that a page ever hands over, in small batches, with everything else of the page in between. */
async function cold(name: string, batch: number): Promise<number> {
  const path = await pathOf(name);
  let spent = 0;
  for (let at = 0; at < entries.length; at += batch) {
    const some = entries.slice(at, at + batch);
    const began = performance.now();
    path.take(some);
    spent += performance.now() - began;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return (spent * 1000) / entries.length;
}

(globalThis as unknown as Record<string, unknown>).entryBench = { prepare, hot, cold, sunk: () => sunk };
