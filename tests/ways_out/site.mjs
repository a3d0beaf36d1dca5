// Two origins on loopback: a shop's page with the policy that a case asks for, and a collector that only listens. It
// undoes what bodies may be (gzip, raw inbox) and keeps them per app, so that cases do not see each other.
import { readFileSync } from "node:fs";
import http from "node:http";
import { extname, join } from "node:path";
import protobuf from "../js/node_modules/protobufjs/index.js";
import { load, top } from "../js/support/bundle.mjs";
import { unpacked } from "../js/support/unpacked.mjs";

const { Ring, applyBody, compileCore, coreOf } = await load("bridge/memory", "ring", "raw/body");
const Beacon = (await protobuf.load(join(top, "proto/vitrace/v1/beacon.proto"))).lookupType("vitrace.v1.Beacon");
const dist = join(top, "js-glue/dist");
const wasm = readFileSync(join(dist, "vitrace.wasm"));
const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm", ".mjs": "text/javascript" };
const SNAPSHOT_SEQ = 0xffffffff;

const listen = (answer) =>
  new Promise((resolve) => {
    const server = http.createServer(answer);
    server.listen(0, "127.0.0.1", () => resolve({ server, origin: `http://127.0.0.1:${server.address().port}` }));
  });

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What arrived for one app. */
export class Received {
  plain = [];
  raw = [];
  zipped = 0;
  /** By the page's own coder. */
  packed = 0;
  /** A status; 0 hangs up. */
  answers = 204;

  take(bytes) {
    this.zipped += +(bytes[0] === 0x1f);
    this.packed += +(bytes[0] === 0x78);
    bytes = unpacked(bytes);
    if (bytes.toString("latin1", 0, 4) === "VTRI") this.raw.push({ seq: bytes.readUInt32LE(8), id: bytes.toString("hex", 28, 44), bytes });
    else this.plain.push(Beacon.decode(bytes));
  }

  snapshots() {
    return this.plain.filter(({ header }) => header.seq === SNAPSHOT_SEQ);
  }

  /** The beacons that the collector has in the end: raw bodies through a core of their own, every (view, seq) once. */
  async beacons() {
    const derived = [];
    for (const id of new Set(this.raw.map((body) => body.id))) derived.push(...(await derive(this.raw.filter((body) => body.id === id))));
    const all = new Map();
    for (const beacon of [...this.plain, ...derived]) {
      if (beacon.header.seq !== SNAPSHOT_SEQ) all.set(Buffer.from(beacon.header.viewId).toString("hex") + beacon.header.seq, beacon);
    }
    return [...all.values()];
  }

  /** By view: how many numbers are missing before the highest, and whether the last word was said. */
  async views() {
    const views = new Map();
    for (const beacon of await this.beacons()) {
      const id = Buffer.from(beacon.header.viewId).toString("hex");
      const view = views.get(id) ?? { seqs: [], final: false, entries: 0, vitals: new Set(), type: 0 };
      view.seqs.push(beacon.header.seq);
      view.final ||= beacon.ledger.final;
      view.entries += beacon.customEvents.length;
      view.type = beacon.header.page.navigationType || view.type;
      for (const { metric } of beacon.vitals) view.vitals.add(metric);
      views.set(id, view);
    }
    return [...views.values()].map((view) => ({ ...view, missing: Math.max(...view.seqs) + 1 - view.seqs.length }));
  }
}

async function derive(bodies) {
  const clock = { monoMs: 0, wallMs: 0 };
  const core = coreOf(await compileCore(wasm), { mono: () => clock.monoMs, wall: () => clock.wallMs });
  const ring = new Ring(core.memory.buffer, core.ringAddress);
  const beacons = [];
  let next = 0;
  for (const { seq, bytes } of bodies.sort((a, b) => a.seq - b.seq)) {
    if (seq < next) continue;
    if (seq > next++) break;
    applyBody(core, clock, new Uint8Array(bytes));
    for (let segment = ring.take(); segment >= 0; segment = ring.take()) {
      beacons.push(Beacon.decode(ring.copy(segment)));
      ring.release(segment, true);
    }
  }
  return beacons;
}

function document(app, collector, attributes) {
  return `<!doctype html><title>${app}</title><link rel="icon" href="data:,">
<script async crossorigin src="${collector}/v1/vitrace.js" data-app="${app}" ${attributes}></script>
<h1 id="hero">A page of the shop</h1>`;
}

export async function openSite() {
  const apps = new Map();
  const received = (app) => apps.get(app) ?? apps.set(app, new Received()).get(app);
  const file = (response, name, more = {}) =>
    response.writeHead(200, { "content-type": TYPES[extname(name)], "access-control-allow-origin": "*", ...more }).end(readFileSync(join(dist, name)));

  const collector = await listen(async (request, response) => {
    const { pathname } = new URL(request.url, "http://collector");
    const [, app] = /^\/([^/]+)\/v1\/beacon$/.exec(pathname) ?? [];
    if (!app) return file(response, pathname.replace(/^.*\/v1\//, ""));
    const bytes = await bodyOf(request).catch(() => undefined);
    const { answers } = received(app);
    if (!answers) return request.socket.destroy();
    if (bytes && answers === 204) received(app).take(bytes);
    response.writeHead(answers, { "access-control-allow-origin": "*" }).end();
  });
  const shop = await listen((request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://shop");
    if (pathname.startsWith("/own/")) return file(response, pathname.slice(5));
    if (pathname !== "/page") return response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>bye</title>");
    const headers = { "content-type": "text/html", "cache-control": "max-age=60" };
    const policy = searchParams.get("csp");
    if (policy) headers["content-security-policy"] = policy.replaceAll("COLLECTOR", collector.origin);
    if (searchParams.get("isolated")) Object.assign(headers, { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "credentialless" });
    const app = searchParams.get("app");
    const attributes = `data-endpoint="${collector.origin}/${app}" ` + (searchParams.get("attributes") ?? "");
    response.writeHead(200, headers).end(document(app, collector.origin, attributes));
  });
  return {
    received,
    pageUrl: (app, more = {}) => `${shop.origin}/page?` + new URLSearchParams({ app, ...more }),
    byeUrl: `${shop.origin}/bye`,
    close() {
      for (const { server } of [shop, collector]) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}
