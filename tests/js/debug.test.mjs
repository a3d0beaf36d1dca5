// What vitrace-debug.js reads and shows: beacons by the schema, segments of the ring, entries as they are pushed.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { schemaOf } from "../../js-glue/schema.mjs";
import { load, top } from "./support/bundle.mjs";
import { handLaidRing } from "./support/ring.mjs";

const abi = await load("abi");
const { decodeBeacon, Kept, Tally, Queue } = await load("debug/decode", "debug/kept", "debug/tally", "lib/queue");
const { Ring } = await load("ring");
const { InboxKind, CoreStatus, RingState } = abi;
const schema = schemaOf(join(top, "proto/vitrace/v1/beacon.proto"));

const bytes = (...parts) => Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...Buffer.from(part)] : part)));
const record = (field, ...body) => { const b = bytes(...body); return [...(field < 16 ? [field * 8 + 2] : [((field * 8 + 2) & 127) | 128, field >> 4]), (b.length & 127) | 128, b.length >> 7, ...b]; };
const text = (field, value) => [field * 8 + 2, value.length, ...Buffer.from(value)];
const double = (value) => [...new Uint8Array(Float64Array.of(value).buffer)];

const header = (seq = 3) => record(1, [8, 1], text(2, "shop"), [3 * 8 + 2, 16], Array(16).fill(0xab), [5 * 8, seq], [13 * 8 + 2, 4, 0x12, 2, ..."/p".split("").map((c) => c.charCodeAt(0))]);
const sample = (seq) => bytes(
  header(seq),
  record(2, "https://a.example/x"),
  record(3, [8, 1, 16, 0xe8, 7, 24, 5], [12 * 8 + 2, 4, 8 + 2, 2, 0xca, 0xfe]),
  record(13, [8, 1, 16, 1, 3 * 8 + 1], double(1234.5), [9 * 8 + 2, 16], double(1), double(2)),
);

test("the schema is read from its one file", () => {
  assert.deepEqual(schema.messages.Beacon[3], ["resources", "Resource", 1]);
  assert.deepEqual(schema.messages.Header[5], ["seq", "uint32"]);
  assert.equal(schema.enums.Metric[1], "METRIC_LCP");
});

test("a beacon reads as the schema's words: names, texts for references, hex ids, signed offsets", () => {
  const beacon = decodeBeacon(sample(3), schema);
  assert.deepEqual(beacon, {
    header: { schema_version: 1, app: "shop", view_id: "ab".repeat(16), seq: 3, page: { route: "/p" } },
    resources: [{ name: "https://a.example/x", start_us: 1000, request_start_us: -3, claims: [{ trace_id: "cafe" }] }],
    vitals: [{ metric: "METRIC_LCP", state: "VITAL_STATE_MEASURED", value: 1234.5, parts: [1, 2] }],
  });
});

test("fields and members that this schema does not know are kept by number", () => {
  const beacon = decodeBeacon(bytes(header(), record(13, [8, 99]), [0xf2, 7, 1, 7]), schema);
  assert.deepEqual(beacon.vitals, [{ metric: 99 }]);
  assert.equal(beacon.field_126, "07");
});

test("every strict prefix of a beacon either ends between records or is refused", () => {
  const whole = sample(3);
  let accepted = 0;
  for (let size = 0; size < whole.length; size++) {
    try {
      decodeBeacon(whole.subarray(0, size), schema);
      accepted++;
    } catch (error) {
      assert.ok(error instanceof RangeError, String(error));
    }
  }
  assert.equal(accepted, 4, "nothing, and after each of the first three records");
});

test("no flipped bit does worse than a refusal", () => {
  const whole = sample(3);
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const flipped = whole.slice();
    flipped[bit >> 3] ^= 1 << (bit & 7);
    try {
      decodeBeacon(flipped, schema);
    } catch (error) {
      assert.ok(error instanceof RangeError || error instanceof TypeError, String(error));
    }
  }
});

function keptOver(ring) {
  const told = [];
  const core = { memory: { buffer: ring.words.buffer }, ringAddress: ring.words.byteOffset, take: () => CoreStatus.SEALED, seal: () => CoreStatus.OK };
  return { core, told, kept: new Kept(core, schema, (beacon) => told.push(beacon.seq)) };
}

test("segments are copied when the core has sealed them, and their fate is told", () => {
  const ring = handLaidRing(abi, Ring);
  ring.put(0, { seq: 7, bytes: sample(7) });
  const { core, kept, told } = keptOver(ring);
  assert.deepEqual(told, [7], "what lay there already");
  ring.put(1, { seq: 8, bytes: sample(8) });
  core.seal();
  assert.deepEqual(told, [7], "nothing was sealed, it says");
  core.take(1, 1);
  assert.deepEqual(told, [7, 8]);
  const state = (segment, value) => ring.put(segment, { seq: 7 + segment, bytes: sample(7 + segment), state: value });
  state(0, RingState.TAKEN);
  state(1, 5);
  kept.look();
  assert.deepEqual(kept.beacons.map(({ state }) => state), ["sending", "held"]);
  state(0, RingState.FREE);
  state(1, RingState.FREE);
  kept.look();
  assert.deepEqual(kept.beacons.map(({ seq, state }) => [seq, state]), [[7, "sent"], [8, "dropped"]]);
});

test("a segment that is used again is another beacon, and old beacons are forgotten by count", () => {
  const ring = handLaidRing(abi, Ring);
  const { core, kept, told } = keptOver(ring);
  for (let seq = 0; seq < 70; seq++) {
    ring.put(0, { seq, bytes: sample(seq), offset: 0 });
    core.take(1, 1);
  }
  assert.equal(told.length, 70);
  assert.equal(kept.beacons.length, 64);
  assert.equal(kept.forgotten, 6);
  assert.equal(kept.beacons[0].seq, 6);
});

test("entries are counted by kind as they are pushed, and the panel's own go no further", () => {
  const queue = new Queue();
  queue.push(InboxKind.PAINT, { name: "first-paint", startTime: 5 });
  const own = {};
  const tally = new Tally(queue, (item) => item === own);
  queue.push(InboxKind.RESOURCE, { name: "a", startTime: 1 });
  queue.push(InboxKind.EVENT, own);
  queue.push(InboxKind.METER, 5);
  queue.push(InboxKind.LARGEST_PAINT, { entry: { startTime: 9, url: "u" }, last: true });
  assert.deepEqual([...tally.counts], [["paint", 1], ["resource", 1], ["largest paint", 1]]);
  assert.deepEqual(tally.latest.at(-1), { kind: "largest paint", time: 9, text: "u" });
  assert.equal(queue.items.length, 4);
  for (let n = 0; n < 50; n++) queue.push(InboxKind.PAINT, {});
  assert.equal(tally.latest.length, 40);
});
