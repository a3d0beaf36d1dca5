// /metrics has the same series whatever strangers send: 10,000 beacons, each of another app, origin, route and view, and
// 10,000 requests, each to another path with another Host, token, method or User-Agent, add no line.
//
//   node tests/border/series.mjs path/to/vitrace
import { beaconFor } from "../e2e/beacon_sample.mjs";
import { Daemon, Tally, talk } from "./daemon.mjs";

const EACH = 10_000;
const TOGETHER = 50; // pipelined on one connection

const seriesOf = (text) => text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map((line) => line.slice(0, line.lastIndexOf(" ")));
const viewOf = (i) => [...Buffer.from(`view ${String(i).padStart(11, "0")}`)];

function beacon(i) {
  const body = beaconFor(`app-${i}`, { view: viewOf(i), route: `/route/${i}` }).toString("latin1");
  return `POST /v1/beacon HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nOrigin: https://site-${i}.example\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}
const methods = ["GET", "HEAD", "DELETE", "PROPFIND"];
const visit = (i) => `${methods[i % methods.length]} /path-${i}?query=${i} HTTP/1.1\r\nHost: host-${i}.example\r\nUser-Agent: agent-${i}\r\nAuthorization: Bearer vta_${i}\r\n\r\n`;

// Sends `EACH` of them, and returns how often each status was answered.
async function flood(port, make, statuses) {
  for (let i = 0; i < EACH; i += TOGETHER) {
    const batch = Array.from({ length: TOGETHER }, (_, k) => make(i + k)).join("");
    const { text } = await talk(port, batch, (so_far) => (so_far.match(/HTTP\/1\.1 [2-5]/g)?.length ?? 0) >= TOGETHER);
    for (const [, status] of text.matchAll(/HTTP\/1\.1 ([2-5]\d\d)/g)) statuses[status] = (statuses[status] ?? 0) + 1;
  }
  return statuses;
}

async function run(name, yaml, owed, tally) {
  const daemon = await Daemon.start(process.argv[2], yaml);
  const before = seriesOf(await daemon.metrics());
  const beacons = await flood(daemon.port("listen"), beacon, {});
  const visits = await flood(daemon.port("listen"), visit, {});
  await flood(daemon.port("otlp_http"), visit, {});
  tally.check(`${name}: the beacons are answered ${owed}`, beacons[owed] === EACH, JSON.stringify(beacons));
  tally.check(`${name}: and every other request`, Object.values(visits).reduce((a, b) => a + b, 0) === EACH, JSON.stringify(visits));
  const text = await daemon.metrics();
  const after = seriesOf(text);
  const fresh = after.filter((series) => !before.includes(series));
  tally.check(`${name}: /metrics has its ${before.length} series and no other`, after.length === before.length && fresh.length === 0, `${before.length} -> ${after.length}: ${fresh.slice(0, 3)}`);
  tally.check(`${name}: none of them carries a visitor's text`, !/(app|site|route|path|host|agent)-\d/.test(text), "");
  tally.check(`${name}: all of it was counted`, (await daemon.metric("vitrace_beacons_received_total")) === EACH, "");
  const ended = await daemon.stop();
  tally.check(`${name}: it ends cleanly`, ended === "", ended);
}

const tally = new Tally();
const open = "limits:\n  ip_burst: 1000000\n  global_burst: 1000000\n";
await tally.section("any app is taken", () => run("any app", open, 204, tally));
await tally.section("one app is taken", () => run("one app", `${open}apps:\n  - name: shop\n`, 403, tally));
tally.close();
