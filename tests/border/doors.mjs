// Every listener x every route of all of them x every method x every kind of key: what each cell must be answered. An
// app's key only lets beacons in, an admin token only opens the admin listener, and neither does the other's work.
//
//   node tests/border/doors.mjs path/to/vitrace
import { createHash } from "node:crypto";
import { beaconFor } from "../e2e/beacon_sample.mjs";
import { Client, Daemon, Tally } from "./daemon.mjs";

const TOKEN = "vta_of_this_test_and_no_other_daemon_0123456789";
const KEY = "write-key-of-the-shop";
const yaml = `admin_tokens: ["${createHash("sha256").update(TOKEN).digest("hex")}"]
apps:
  - name: shop
    keys: ["${KEY}"]
`;

const credentials = {
  none: {},
  "an admin token": { header: `Bearer ${TOKEN}`, opensAdmin: true },
  "an admin token cut short": { header: `Bearer ${TOKEN.slice(0, -1)}` },
  "an admin token with more behind it": { header: `Bearer ${TOKEN}x` },
  "an admin token, as Basic": { header: `Basic ${Buffer.from(`:${TOKEN}`).toString("base64")}` },
  "an admin token's hash": { header: `Bearer ${createHash("sha256").update(TOKEN).digest("hex")}` },
  "an admin token in the query": { query: `k=${TOKEN}&token=${TOKEN}&access_token=${TOKEN}` },
  "an empty token": { header: "Bearer " },
  "a write key": { query: `k=${KEY}`, opensIngest: true },
  "a write key as a token": { header: `Bearer ${KEY}` },
  "a wrong write key": { query: "k=write-key-of-the-shoq" },
  "both": { header: `Bearer ${TOKEN}`, query: `k=${KEY}`, opensAdmin: true, opensIngest: true },
};

const methods = ["GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "FROB", "get"];
const assets = ["/v1/vitrace.js", "/v1/vitrace-bridge.js", "/v1/vitrace-worker.js", "/v1/vitrace.wasm"];
const paths = ["/", "/index.html", "/healthz", "/readyz", "/metrics", "/api/v1/apps", "/api/v1/nothing", "/v1/beacon", "/v1/traces", "/v1/nothing", "/*", ...assets];
const lure = ["//metrics", "/./metrics", "/x/../metrics", "/metrics/", "/METRICS", "/%6detrics", "/metrics%00", "/metrics;x", "/api/v1//apps",
  "/api/v1/../v1/apps", "/API/v1/apps", "/%61pi/v1/apps", "/api/v1/apps/", "/api//v1/apps", "/api/v1/%61pps", "/api/v1", "/..%2f..%2fetc/passwd", "/../../etc/passwd"];

const isRead = (method) => method === "GET" || method === "HEAD";
const isUnread = (method) => ["FROB", "get"].includes(method); // not HTTP as it is read

// The table. `listener`: what is owed for a path that it knows; undefined = 404.
const rules = {
  listen(method, path, { opensIngest }) {
    if (path === "/v1/beacon") return method === "POST" ? (opensIngest ? 204 : 403) : method === "OPTIONS" ? 403 : 405; // a preflight comes with an Origin
    if (path === "/healthz") return isRead(method) ? 200 : 405;
    return assets.includes(path) ? (isRead(method) ? [200, 404] : 405) : 404; // 404: the SDK has not been built here
  },
  otlp_http(method, path) {
    if (path === "/v1/traces") return method === "POST" ? 200 : 405;
    return path === "/healthz" ? (isRead(method) ? 200 : 405) : 404;
  },
  admin(method, path, { opensAdmin }) {
    if (!isRead(method)) return 405; // the dashboard's route is every path
    if (path === "/metrics" || path.startsWith("/api/v1/")) return opensAdmin ? (path === "/api/v1/nothing" ? 404 : 200) : 401;
    return ["/", "/index.html", "/healthz", "/readyz"].includes(path) ? 200 : 404;
  },
};

const mediaTypes = { "/v1/traces": "application/x-protobuf", "/v1/beacon": "text/plain" };
function write(method, path, { header, query }) {
  const body = path === "/v1/beacon" ? beaconFor("shop").toString("latin1") : "";
  const lines = [`${method} ${path}${query ? `?${query}` : ""} HTTP/1.1`, "Host: localhost"];
  if (header !== undefined) lines.push(`Authorization: ${header}`);
  if (mediaTypes[path]) lines.push(`Content-Type: ${mediaTypes[path]}`);
  if (method === "POST") lines.push(`Content-Length: ${body.length}`);
  return `${lines.join("\r\n")}\r\n\r\n${method === "POST" ? body : ""}`;
}

async function askAll(daemon, listener, tally) {
  const client = new Client(daemon.port(listener));
  for (const path of paths)
    for (const method of methods)
      for (const [name, credential] of Object.entries(credentials)) {
        const owed = [isUnread(method) ? 400 : rules[listener](method, path, credential)].flat();
        const { status, headers, body } = await client.ask(write(method, path, credential), method === "HEAD");
        const what = `${listener}: ${method} ${path} with ${name}`;
        tally.check(`${what} is answered ${owed.join(" or ")}`, owed.includes(status), `${status} ${body.slice(0, 200)}`);
        if (status === 401) tally.check(`${what} names its scheme`, headers.get("www-authenticate")?.startsWith("Bearer "), "");
        if (status === 405) tally.check(`${what} names what is allowed`, headers.has("allow"), "");
        tally.check(`${what} is echoed nothing`, !body.includes(TOKEN) && !body.includes(KEY), body.slice(0, 200));
      }
  client.close();
}

// Another spelling of a guarded path opens nothing: whatever it is answered, it is not the guarded route's own answer.
async function askAround(daemon, listener, tally) {
  const client = new Client(daemon.port(listener));
  for (const path of lure) {
    const { status, body } = await client.ask(write("GET", path, {}));
    tally.check(`${listener}: GET ${path} opens nothing`, [400, 401, 404].includes(status) && !body.includes("vitrace_"), `${status} ${body.slice(0, 200)}`);
  }
  client.close();
}

const daemon = await Daemon.start(process.argv[2], yaml);
const tally = new Tally();
for (const listener of Object.keys(rules)) {
  await tally.section(`${listener}: ${paths.length} paths x ${methods.length} methods x ${Object.keys(credentials).length} keys`, () => askAll(daemon, listener, tally));
  await tally.section(`${listener}: ${lure.length} other spellings`, () => askAround(daemon, listener, tally));
}
const ended = await daemon.stop();
tally.check("it ends cleanly", ended === "", ended);
tally.close();
