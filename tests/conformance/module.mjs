/** The core's module, and the beacons that it makes. Needs the preset wasm. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import protobuf from "protobufjs";
import { load, top } from "../js/support/bundle.mjs";
import { scriptText } from "./oracle.mjs";

export const abi = await load("abi");
const { Batch, marshal, Ring, selectorOf } = await load("bridge/batch", "bridge/marshal", "ring", "lib/selector");
export { selectorOf };

const path = process.env.VITRACE_WASM ?? join(top, "build/wasm/vitrace.wasm");
assert.ok(existsSync(path), `${path} is missing: build the CMake preset "wasm" first`);
export const compiled = new WebAssembly.Module(readFileSync(path));
const Beacon = (await protobuf.load(join(top, "proto/vitrace/v1/beacon.proto"))).lookupType("vitrace.v1.Beacon");

const METRICS = { LCP: abi.Metric.LCP, INP: abi.Metric.INP, CLS: abi.Metric.CLS, FCP: abi.Metric.FCP, TTFB: abi.Metric.TTFB };
const NAMES = Object.fromEntries(Object.entries(METRICS).map(([name, metric]) => [metric, name]));
const RATINGS = [undefined, "good", "needs-improvement", "poor"];
const MEASURED = 1;
const LOAD_STATES = ["", "loading", "dom-interactive", "dom-content-loaded", "complete"];
const SUBPARTS = ["", "input-delay", "processing-duration", "presentation-delay"];
const navigationTypes = Object.fromEntries(
  Object.entries(abi.NavigationType).map(([name, number]) => [number, name.toLowerCase().replaceAll("_", "-")]),
);

/** The last word on each vital in a run of beacons, by view. */
export class Reports {
  _views = new Map();

  /** A beacon may come twice, and late: (view, seq) says which it is. */
  take(bytes) {
    const beacon = Beacon.decode(bytes);
    assert.deepEqual(beacon.ledger.losses, [], "the core lost records");
    const text = (ref) => (ref ? beacon.strings[ref - 1] : "");
    const { viewId, seq } = beacon.header;
    const id = Buffer.from(viewId).toString("hex");
    if (!this._views.has(id)) this._views.set(id, { start: Number(beacon.header.page.viewStartUs), isSoft: beacon.header.page.navigationType === abi.NavigationType.SOFT_NAVIGATION, beacons: [] });
    this._views.get(id).beacons[seq] = Object.fromEntries(beacon.vitals.map((vital) => [NAMES[vital.metric], vitalOf(vital, text)]));
  }

  ofLastView() {
    return vitalsOf(this._inOrder().at(-1));
  }

  /** The page that is left sends the newest view first. */
  _inOrder() {
    return [...this._views.values()].sort((one, other) => one.start - other.start);
  }

  /** The views that a soft navigation ended. */
  ofEndedViews() {
    const views = this._inOrder();
    return views.filter((_view, at) => views[at + 1]?.isSoft).map(vitalsOf);
  }
}

const vitalsOf = (view) => Object.assign({}, ...(view?.beacons ?? []));

function scriptOf({ longestScript: script }, text) {
  return script ? scriptText({
    subpart: SUBPARTS[script.subpart], intersecting: script.intersectingMs, sourceURL: text(script.sourceUrlRef), sourceFunctionName: text(script.sourceFunctionRef),
    invoker: text(script.invokerRef), invokerType: text(script.invokerTypeRef), sourceCharPosition: Number(script.sourceCharPosition),
  }) : "";
}

function vitalOf(vital, text) {
  if (vital.state !== MEASURED) return "unsupported";
  return {
    value: vital.value,
    rating: RATINGS[vital.rating],
    navigationType: navigationTypes[vital.navigationType],
    target: text(vital.targetRef),
    url: text(vital.urlRef),
    name: text(vital.nameRef),
    time: vital.time,
    parts: vital.parts,
    loadState: LOAD_STATES[vital.loadState],
    frames: vital.frameParts,
    script: scriptOf(vital, text),
  };
}

/** One core in a module of its own, with the clock of the caller. */
export class Core {
  constructor() {
    const { PAGES } = abi.Memory;
    const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
    this._exports = new WebAssembly.Instance(compiled, { env: { memory } }).exports;
    this._exports._initialize?.();
    this._exports[abi.CoreExport.START]();
    this._strings = new Uint8Array(memory.buffer, this._exports[abi.CoreExport.STRINGS](), abi.Inbox.STRING_BYTES);
    this._batch = new Batch(new Float64Array(memory.buffer, this._exports[abi.CoreExport.WORDS](), abi.Inbox.WORDS));
    this._ring = new Ring(memory.buffer, this._exports[abi.CoreExport.RING]());
    this.reports = new Reports();
  }

  take(items, now) {
    for (const item of items) {
      if (this._write(item)) continue;
      this._hand(now);
      assert.ok(this._write(item), "a record does not fit the inbox");
    }
    this._hand(now);
  }

  seal(now) {
    assert.ok(this._exports[abi.CoreExport.SEAL](now, wallOf(now), 1) >= 0);
    this._receive();
  }

  _write({ kind, item, extra }) {
    marshal(this._batch, kind, item, extra);
    return this._batch.commit();
  }

  _hand(now) {
    const status = this._exports[abi.CoreExport.TAKE](now, wallOf(now), this._batch.at, this._batch.encodeStrings(this._strings));
    assert.ok(status >= 0, `the core refused a batch: ${status}`);
    this._batch.reset();
    this._receive();
  }

  _receive() {
    for (let segment = this._ring.take(); segment >= 0; segment = this._ring.take()) {
      this.reports.take(this._ring.copy(segment));
      this._ring.release(segment, true);
    }
  }
}

const wallOf = (now) => 1.7e12 + now;
