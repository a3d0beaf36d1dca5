// Transport D: the raw inbox makes the same beacons wherever the core runs. Needs the preset wasm.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import protobuf from "protobufjs";
import { load, top } from "./support/bundle.mjs";
import { resourceEntry, startFact } from "./support/entries.mjs";

const wasm = process.env.VITRACE_WASM ?? join(top, "build/wasm/vitrace.wasm");
assert.ok(existsSync(wasm), `${wasm} is missing: build the CMake preset "wasm" first`);
const bytes = readFileSync(wasm);

const abi = await load("abi");
const { Bridge, Guard, InFlight, Ring, RawExit, RawInbox, applyBody, compileCore, coreOf, BODY_BYTES_MAX, configFact, transportCode } = await load(
  "bridge/bridge", "bridge/memory", "bridge/codes", "lib/guard", "ring", "raw/body", "raw/raw_inbox", "raw/raw_exit", "lib/config_fact", "worker/in_flight",
);
const { InboxKind: Kind } = abi;
const Beacon = (await protobuf.load(join(top, "proto/vitrace/v1/beacon.proto"))).lookupType("vitrace.v1.Beacon");

/** A page without a core, and the bodies that it hands out. */
function page() {
  const bodies = [];
  const inbox = new RawInbox((body) => bodies.push(body));
  const guard = new Guard();
  const bridge = new Bridge(guard);
  bridge.start(inbox, startFact({ transport: transportCode("raw") }), configFact({ options: {}, isGranted: true, isAsked: false }), () => {});
  return { inbox, guard, bridge, bodies };
}

/** What a worker or a collector does with them. */
async function beaconsOf(bodies) {
  const clock = { monoMs: 0, wallMs: 0 };
  const core = coreOf(await compileCore(bytes), { mono: () => clock.monoMs, wall: () => clock.wallMs });
  const ring = new Ring(core.memory.buffer, core.ringAddress);
  const beacons = [];
  for (const body of bodies) {
    applyBody(core, clock, body);
    for (let segment = ring.take(); segment >= 0; segment = ring.take()) {
      beacons.push(ring.copy(segment));
      ring.release(segment, true);
    }
  }
  return beacons;
}
const push = (bridge, count, name = "http://shop.test/a.js") => {
  for (let n = 0; n < count; n++) bridge.push(Kind.RESOURCE, resourceEntry({ name: `${name}${n}` }));
  bridge.flush();
};

test("a body is laid out as WIRE.md says", () => {
  const { bridge, bodies } = page();
  bridge.flush();
  bridge.seal(true);
  const body = Buffer.from(bodies[0].bytes);
  assert.equal(body.toString("latin1", 0, 4), "VTRI");
  assert.deepEqual([...body.subarray(4, 8)], [abi.Inbox.ABI_VERSION, 1, 0, 0]);
  assert.equal(body.readUInt32LE(8), 0);
  assert.ok(body.readDoubleLE(12) > 0 && body.readDoubleLE(20) > 1.7e12);
  assert.deepEqual([0, 1, 2, 3].map((n) => body.readUInt32BE(28 + 4 * n)), [1, 2, 3, 4]);
  assert.equal(body.readDoubleLE(52), Kind.START);
  const strings = body.subarray(52 + 8 * body.readUInt32LE(44)).subarray(0, body.readUInt32LE(48)).toString();
  assert.equal(strings.split("\0")[0], "shop");
  assert.equal((body.length - 44) % 8, 0);
});

test("the core behind it sees the same page: one view, numbered from 0, nothing lost", async () => {
  const { bridge, bodies } = page();
  push(bridge, 10);
  bridge.seal(false);
  push(bridge, 5);
  bridge.seal(true);
  const beacons = (await beaconsOf(bodies.map((body) => body.bytes))).map((beacon) => Beacon.decode(beacon));
  assert.deepEqual(beacons.map(({ header }) => [header.seq, header.transport]), [[0, 4], [1, 4]]);
  assert.deepEqual(beacons.map(({ resources }) => resources.length), [10, 5]);
  const { ledger } = beacons.at(-1);
  assert.deepEqual([ledger.entriesSeen, ledger.entriesEncoded, ledger.final], [15, 15, true]);
});

test("the same bodies make the same bytes twice, which is what lets two cores run on them", async () => {
  const { bridge, bodies } = page();
  for (let n = 0; n < 4; n++) {
    push(bridge, 30, `http://shop.test/${n}/`);
    bridge.seal(n === 3);
  }
  const all = bodies.map((body) => body.bytes);
  assert.deepEqual(await beaconsOf(all), await beaconsOf(all));
});

test("no body is over 60,000 bytes, and a batch that does not fit begins the next one", async () => {
  const { inbox, bridge, bodies } = page();
  for (let n = 0; n < 6; n++) {
    push(bridge, 150, `http://shop.test/${"x".repeat(150)}/${n}/`);
    for (const { seq } of bodies) inbox.done(seq, true);
  }
  bridge.seal(true);
  assert.ok(bodies.length > 2);
  assert.ok(bodies.every((body) => body.bytes.length <= BODY_BYTES_MAX));
  assert.deepEqual(bodies.map((body) => body.seq), bodies.map((_, n) => n));
  const encoded = (await beaconsOf(bodies.map((body) => body.bytes))).map((beacon) => Beacon.decode(beacon).resources.length);
  assert.equal(encoded.reduce((sum, n) => sum + n), 900);
});

test("nothing to say makes no body", () => {
  const { bridge, bodies, inbox } = page();
  bridge.flush();
  bridge.seal(false);
  bridge.seal(true);
  assert.equal(bodies.length, 1);
  assert.equal(inbox.openAge(), 0);
});

test("with four bodies waiting the queue keeps the rest, and goes on when one is done", () => {
  const { bridge, inbox, bodies } = page();
  for (let n = 0; n < 6; n++) {
    push(bridge, 1);
    bridge.seal(false);
  }
  assert.deepEqual([bodies.length, bridge.queue.items.length, bridge.queued], [4, 2, 0]);
  inbox.done(0, true);
  assert.equal(bridge.queued, 2);
  bridge.flush();
  bridge.seal(false);
  assert.deepEqual([bodies.length, bridge.queue.items.length], [5, 0]);
});

test("a body that a worker is done with stays for the exit while 60,000 bytes allow, and what is cut then stays cut", () => {
  const { bridge, inbox, bodies } = page();
  push(bridge, 100);
  bridge.seal(false);
  inbox.done(0, false);
  assert.deepEqual([inbox.bodies.length, inbox.isCut, inbox.waiting], [1, false, 0]);
  for (let n = 0; n < 3; n++) {
    push(bridge, 100);
    bridge.seal(false);
    inbox.done(bodies.length - 1, false);
  }
  assert.ok(bodies.reduce((sum, body) => sum + body.bytes.length, 0) > BODY_BYTES_MAX);
  assert.deepEqual([inbox.bodies.length, inbox.isCut], [0, true]);
});

function exitOf(inbox, accepts = Infinity) {
  const sent = [];
  const host = { inFlight: new InFlight(), sendBeacon: (_url, body) => sent.length < accepts && sent.push(body) > 0 };
  return { sent, host, exit: new RawExit(inbox, host, "u") };
}

test("at exit everything the collector lacks goes out in order, also what a worker is done with, and once", async () => {
  const { bridge, inbox } = page();
  for (let n = 0; n < 3; n++) {
    push(bridge, 5);
    bridge.seal(n === 2);
  }
  inbox.done(0, false);
  const { sent, exit } = exitOf(inbox);
  let count = 0;
  assert.equal(exit.leave((n) => (count += n)), 0);
  assert.equal(exit.leave((n) => (count += n)), 0);
  assert.deepEqual(sent.map((body) => Buffer.from(body).readUInt32LE(8)), [0, 1, 2]);
  assert.equal(count, 3);
  assert.equal((await beaconsOf(sent)).length, 3);
});

test("at exit nothing is sent that a worker is done with anyway, and nothing after a cut", () => {
  const { bridge, inbox } = page();
  push(bridge, 5);
  bridge.seal(false);
  inbox.done(0, false);
  const { sent, exit } = exitOf(inbox);
  exit.leave(() => {});
  push(bridge, 5);
  bridge.seal(true);
  inbox.isCut = true;
  assert.equal(exit.leave(() => {}), 0);
  assert.equal(sent.length, 0);
});

test("a body that the browser does not take holds the later ones back and is counted", () => {
  const { bridge, inbox } = page();
  for (let n = 0; n < 3; n++) {
    push(bridge, 5);
    bridge.seal(false);
  }
  const { sent, exit } = exitOf(inbox, 1);
  assert.equal(exit.leave(() => {}), 2);
  assert.deepEqual([sent.length, inbox.bodies.map(({ isSent }) => isSent)], [1, [true, false, false]]);
});

test("at exit at most 60,000 bytes, until the page is back", () => {
  const { bridge, inbox } = page();
  for (let n = 0; n < 4; n++) {
    push(bridge, 100);
    bridge.seal(false);
  }
  const { sent, exit } = exitOf(inbox);
  assert.equal(exit.leave(() => {}), 2);
  exit.stay();
  assert.equal(exit.leave(() => {}), 0);
  assert.equal(sent.length, 4);
});

test("queries and fragments never get into a raw body", () => {
  const { bridge, bodies } = page();
  push(bridge, 1, "http://shop.test/a.js?token=secret#part");
  bridge.seal(true);
  const text = Buffer.from(bodies[0].bytes).toString("latin1");
  assert.ok(text.includes("http://shop.test/a.js"));
  assert.ok(!text.includes("secret"));
});

test("a collector that was restarted gets the document again, as long as the page has all of it", () => {
  const { bridge, inbox, bodies } = page();
  for (let n = 0; n < 3; n++) {
    push(bridge, 5);
    bridge.seal(false);
  }
  assert.equal(inbox.again(), false, "the very first body is not worth another try");
  inbox.done(0, true);
  inbox.done(1, true);
  assert.equal(inbox.again(), true);
  assert.equal(inbox.waiting, 3);
  for (let n = 0; n < 3; n++) {
    push(bridge, 150, `http://shop.test/${"x".repeat(100)}`);
    bridge.seal(false);
    for (const { seq } of bodies) inbox.done(seq, true);
  }
  assert.deepEqual([inbox.again(), inbox.isCut], [false, false]);
});

test("once cut, every body that is done goes", () => {
  const { bridge, inbox } = page();
  inbox.isCut = true;
  for (let n = 0; n < 2; n++) {
    push(bridge, 1);
    bridge.seal(false);
    inbox.done(n, false);
  }
  assert.equal(inbox.bodies.length, 0);
});
