// The ring of refusals: what was refused on any listener is there with its reason and what to do, nothing of what strangers sent can be
// read from it (nor from the log, nor from any answer of the API), and a flood leaves the others in it. The page of it: dashboard.mjs.
//
//   node tests/border/rejects.mjs path/to/vitrace
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connect2 } from "node:http2"; // by prior knowledge
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { beaconFor } from "../e2e/beacon_sample.mjs";
import { Daemon, Tally, overhear, talk } from "./daemon.mjs";

const TOKEN = "vta_of_this_test_and_no_other_daemon_0123456789";
const KEY = "write-key-of-the-shop";
const SECRET = "s3cr3t"; // in every place where a stranger may put something
const yaml = `admin_tokens: ["${createHash("sha256").update(TOKEN).digest("hex")}"]
apps:
  - name: shop
    origins: ["https://shop.example"]
    keys: ["${KEY}"]
limits:
  admin_failures_per_minute: 0
`;

const tally = new Tally();
const daemon = await Daemon.start(process.argv[2], yaml);
const headers = { authorization: `Bearer ${TOKEN}` };
const rejects = async () => (await fetch(`${daemon.admin}/api/v1/rejects`, { headers })).json();

function request(listener, method, path, { body = "", ...more } = {}) {
  const lines = Object.entries({ host: "localhost", connection: "close", ...more }).map(([name, value]) => `${name}: ${value}`);
  if (method === "POST") lines.push(`content-length: ${Buffer.byteLength(body, "latin1")}`);
  return talk(daemon.port(listener), `${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`);
}

function grpc(path, bytes, more = {}) {
  return new Promise((resolve) => {
    const client = connect2(daemon.otlp_grpc);
    const stream = client.request({ ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers", ...more });
    const done = () => { client.destroy(); resolve(); };
    client.on("error", done);
    stream.on("error", done).on("close", done).resume();
    stream.end(bytes);
  });
}
// One request on an HTTP/2 connection of its own.
function request2(listener, headers, body = "") {
  return new Promise((resolve) => {
    const client = connect2(daemon[listener]);
    const stream = client.request({ ":method": "POST", ...headers }, { endStream: body === "" });
    const done = () => { client.destroy(); resolve(); };
    client.on("error", done);
    stream.on("error", done).on("close", done).resume();
    if (body !== "") stream.end(body, "latin1");
  });
}
const framed = (bytes, compressed = 0) => Buffer.concat([Buffer.from([compressed, 0, 0, 0, bytes.length]), Buffer.from(bytes)]);

const origin = "https://shop.example";
const good = beaconFor("shop").toString("latin1");
const EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
// Sent, and what of it must be found: a subset of the entry's members.
const cases = [
  ["an origin that no app lets in", () => request("listen", "POST", "/v1/beacon", { origin: `https://${SECRET}.example`.replace(SECRET, "evil"), body: good }),
    { series: "vitrace_beacons_rejected_total", reason: "origin", status: 403, path: "/v1/beacon", origin_host: "evil.example", body_format: "protobuf", peer: "127.0.0.0/24", method: "POST" }],
  ["an app's beacon without its key", () => request("listen", "POST", `/v1/beacon?k=${SECRET}`, { origin, body: good }), { reason: "key", status: 403, app: "shop" }],
  ["an app that is not configured", () => request("listen", "POST", `/v1/beacon?k=${KEY}`, { origin, body: beaconFor("nosuchapp").toString("latin1") }), { reason: "unknown_app", app: "nosuchapp" }],
  ["a body that is no beacon", () => request("listen", "POST", "/v1/beacon", { origin, body: `{"password":"${SECRET}"}` }), { status: 400, body_format: "json", body_bytes: 21 }],
  ["a media type", () => request("listen", "POST", "/v1/beacon", { origin, "content-type": `image/${SECRET}`, body: "GIF89a" }), { reason: "media_type", status: 415 }],
  ["an encoding", () => request("listen", "POST", "/v1/beacon", { origin, "content-encoding": SECRET, body: good }), { reason: "encoding", status: 415 }],
  ["gzip cut short", () => request("listen", "POST", "/v1/beacon", { origin, body: "\x1f\x8b\x08\x00" }), { reason: "compressed", body_format: "gzip", body_bytes: 4 }],
  ["a body over its size", () => request("listen", "POST", "/v1/beacon", { origin, body: SECRET.padEnd(70000, "x") }), { reason: "body_too_large", status: 413, body_bytes: 70000 }],
  ["a path that is not there", () => request("listen", "GET", `/reset/${SECRET}-of-ann@example.com?token=${SECRET}`, { referer: `https://x/?${SECRET}`, cookie: SECRET }), { reason: "not_found", status: 404, path: "/reset/(redacted)", method: "GET" }],
  ["a method", () => request("listen", "DELETE", "/v1/beacon"), { reason: "method", status: 405, method: "other" }],
  ["what is not HTTP", () => talk(daemon.port("listen"), `${SECRET}\x00\x1b[31m\r\n\r\n`), { reason: "parse", status: 400 }],
  ["headers without end", () => request("listen", "GET", "/healthz", { "x-long": SECRET.repeat(4000) }), { reason: "headers_too_large", status: 431 }],
  ["spans that are none", () => request("otlp_http", "POST", "/v1/traces", { "content-type": "application/x-protobuf", body: SECRET }), { series: "vitrace_spans_requests_rejected_total", reason: "malformed", path: "/v1/traces", protocol: "http", body_format: "text" }],
  ["spans of another type", () => request("otlp_http", "POST", "/v1/traces", { "content-type": "text/plain", body: "x" }), { series: "vitrace_spans_requests_rejected_total", reason: "media_type" }],
  ["an encoding over gRPC", () => grpc(EXPORT, framed(SECRET, 1), { "grpc-encoding": "br" }), { series: "vitrace_spans_requests_rejected_total", reason: "encoding", protocol: "grpc", status: 12, path: EXPORT }],
  ["a method that gRPC has not", () => grpc(`/${SECRET}/Export`, framed("")), { protocol: "grpc", status: 12, path: "", reason: "not_found" }],
  ["two messages in one gRPC call", () => grpc(EXPORT, Buffer.concat([framed("ab"), framed(SECRET)])), { protocol: "grpc", status: 3, code: "invalid_argument" }],
  ["an admin request without a token", () => request("admin", "GET", "/metrics"), { series: "vitrace_admin_unauthorized_total", reason: "no_token", status: 401 }],
  ["a wrong token", () => request("admin", "GET", "/api/v1/apps", { authorization: `Bearer ${SECRET}` }), { reason: "token", status: 401, path: "/api/(redacted)".replace("(redacted)", "v1/apps") }],
  ["a body that is no beacon, over HTTP/2", () => request2("listen", { ":path": `/v1/beacon?k=${SECRET}`, origin, cookie: SECRET }, `<${SECRET}>`), { status: 400, body_format: "markup", body_bytes: 8, path: "/v1/beacon", method: "POST", protocol: "http" }],
  ["a path that is not there, over HTTP/2", () => request2("listen", { ":method": "GET", ":path": `/h2/${SECRET}@x?${SECRET}` }), { status: 404, path: "/h2/(redacted)" }],
  ["a foreign Host", () => request("admin", "GET", "/metrics", { host: `${SECRET}.example` }), { reason: "host", status: 421 }],
];

await tally.section("every kind of refusal", async () => {
  for (const [name, send, owed] of cases) {
    await pause(210); // the gate of one reason
    await send();
    const found = (await rejects()).rejects.find((reject) => Object.entries(owed).every(([member, value]) => reject[member] === value));
    tally.check(`${name} is there`, found !== undefined, JSON.stringify((await rejects()).rejects[0]));
    tally.check(`${name} says what to do`, found?.message.length > 10 && Math.abs(Date.now() - found.time_unix_ms) < 60_000, JSON.stringify(found));
  }
});

await tally.section("nothing of what was sent", async () => {
  const text = JSON.stringify(await rejects());
  for (const secret of [SECRET, KEY, TOKEN, "ann@", "password", "GIF89a"]) tally.check(`"${secret}" is not in the ring`, !text.includes(secret), text);
  tally.check("nor any address", !text.includes("127.0.0.1"), text);
  tally.check("nor a control character", !/[\x00-\x1f\x7f]/.test(text), text);
  for (const secret of [SECRET, KEY, TOKEN]) tally.check(`"${secret}" is not in the log`, !daemon.said.includes(secret), daemon.said);
  const metrics = await daemon.metrics(headers);
  tally.check("nor in the metrics", !metrics.includes(SECRET), "");
});

await tally.section("a flood", async () => {
  const one = `GET /flood HTTP/1.1\r\nHost: x\r\n\r\n`;
  for (let i = 0; i < 10; i++) {
    await talk(daemon.port("listen"), one.repeat(200), (text) => text.split("HTTP/1.1 404").length > 200);
    await pause(200);
  }
  const { rejects: list, left_out: leftOut } = await rejects();
  const flood = list.filter(({ path }) => path === "/flood").length;
  tally.check("takes its share and no more", flood >= 5 && flood <= 16 && list.length <= 64, `${flood} of ${list.length}`);
  tally.check("leaves the others in", list.some(({ reason }) => reason === "unknown_app") && list.some(({ reason }) => reason === "key"), "");
  tally.check("and what it left out is counted", leftOut >= 2000 - 16 - 10, `${leftOut}`);
});

await tally.section("who may read it", async () => {
  for (const [name, given] of [["nobody", {}], ["a wrong token", { authorization: "Bearer x" }]])
    tally.check(`${name} is refused`, (await fetch(`${daemon.admin}/api/v1/rejects`, { headers: given })).status === 401, "");
  tally.check("and on the public listener it is not", (await fetch(`${daemon.listen}/api/v1/rejects`, { headers })).status === 404, "");
});
const ended = await daemon.stop();
tally.check("it ends cleanly, and its log is JSON", ended === "", ended);

// Handshakes that come to nothing: who, and why, without a byte of theirs.
async function shakeHands() {
  const folder = mkdtempSync(join(tmpdir(), "vitrace-tls."));
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost"], { stdio: "ignore" });
  const secure = await Daemon.start(process.argv[2], "apps: []\n", ["--tls-certificate", certificate, "--tls-key", key]);
  const port = secure.port("listen");
  const shake = (more) => new Promise((resolve) => connectTls({ port, host: "127.0.0.1", ...more }, resolve).on("error", resolve).on("close", resolve));
  const cases = [
    ["plain HTTP", () => talk(port, `GET /${SECRET} HTTP/1.1\r\nHost: x\r\n\r\n`), "plain_http"],
    ["what is no TLS", () => talk(port, `\x16\x03\x01\x00\x10${SECRET.repeat(4)}`), "malformed"],
    ["an old version", () => shake({ minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" }), "version"],
    ["a protocol that is not spoken", () => shake({ ALPNProtocols: ["smtp"], rejectUnauthorized: false }), "protocol"],
    ["a client that refuses the certificate", () => spawnSync("openssl", ["s_client", "-connect", `127.0.0.1:${port}`, "-verify_return_error", "-no-CAfile", "-no-CApath"], { input: "", timeout: 10_000 }), "alert"],
    ["a client that leaves", () => overhear(port, "\x16\x03\x01", 1), "closed"],
  ];
  for (const [name, act, reason] of cases) {
    await pause(210);
    await act();
    const found = await until(async () => (await (await fetch(`${secure.admin}/api/v1/rejects`)).json()).rejects.find((reject) => reject.reason === reason));
    tally.check(`${name} is there`, found?.protocol === "tls" && found.status === 0 && found.peer === "127.0.0.0/24" && found.message.length > 10, JSON.stringify(found));
  }
  const text = await (await fetch(`${secure.admin}/api/v1/rejects`)).text();
  tally.check("nothing of theirs is", !text.includes(SECRET), text);
  const last = await secure.stop();
  tally.check("and that daemon ends cleanly, too", last === "" && !secure.said.includes(SECRET), last);
  rmSync(folder, { recursive: true });
}
async function until(look) {
  for (let i = 0; i < 100; i++) {
    const found = await look();
    if (found) return found;
    await pause(50);
  }
}
await tally.section("TLS handshakes", shakeHands);

tally.close();
