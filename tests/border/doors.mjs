// Every listener x every route of all of them x every method x every kind of key, over HTTP/1.1 and HTTP/2: what each cell
// must be answered. An
// app's key only lets beacons in, an admin token only opens the admin listener, and neither does the other's work.
//
//   node tests/border/doors.mjs path/to/vitrace
import { createHash, createHmac, generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beaconFor } from "../e2e/beacon_sample.mjs";
import { Client, Daemon, Tally } from "./daemon.mjs";
import { StreamClient } from "./streams.mjs";

const TOKEN = "vta_of_this_test_and_no_other_daemon_0123456789";
const KEY = "write-key-of-the-shop";

// The identity provider's half, and what somebody without its private key can make of what is public.
const provider = generateKeyPairSync("rsa", { modulusLength: 2048 });
const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 });
const publicKey = provider.publicKey.export({ type: "spki", format: "pem" });
const keys = mkdtempSync(join(tmpdir(), "vitrace-keys."));
writeFileSync(join(keys, "jwt.pem"), publicKey);
const now = Math.floor(Date.now() / 1000);
const claims = { iss: "https://login.example", aud: ["vitrace", "other"], sub: "ann", iat: now - 10, nbf: now - 10, exp: now + 3600 };
const part = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const signedBy = (header, payload, seal) => { const text = `${part(header)}.${part(payload)}`; return `${text}.${seal(text).toString("base64url")}`; };
const rs256 = (pair) => (text) => sign("sha256", Buffer.from(text), pair.privateKey);
const hs256 = (secret) => (text) => createHmac("sha256", secret).update(text).digest();
const jwt = (more = {}, header = {}, seal = rs256(provider)) => signedBy({ alg: "RS256", typ: "JWT", ...header }, { ...claims, ...more }, seal);
const good = jwt();
const [head, body, seal] = good.split(".");
const jwk = stranger.publicKey.export({ format: "jwk" });
const refusedTokens = {
  "a JWT with alg none": `${part({ alg: "none" })}.${body}.`,
  "a JWT with alg none and the old signature": `${part({ alg: "none" })}.${body}.${seal}`,
  "a JWT with alg None": `${part({ alg: "None" })}.${body}.`,
  "a JWT signed by the public key as HS256": signedBy({ alg: "HS256" }, claims, hs256(publicKey)),
  "a JWT signed by the public key as HS256, that says RS256": jwt({}, {}, hs256(publicKey)),
  "a JWT signed by an empty HS256 secret": signedBy({ alg: "HS256" }, claims, hs256("")),
  "a JWT of another provider": jwt({}, {}, rs256(stranger)),
  "a JWT that brings its own key": jwt({}, { jwk, jku: "http://127.0.0.1:1/jwks", x5u: "http://127.0.0.1:1/x" }, rs256(stranger)),
  "a JWT whose kid is a path": jwt({}, { kid: "../../../../../../dev/null" }, hs256("")),
  "a JWT whose kid is a query": jwt({}, { kid: "' UNION SELECT 'x" }, rs256(stranger)),
  "a JWT with critical extensions": jwt({}, { crit: ["exp"] }),
  "a JWT that has expired": jwt({ exp: now - 61 }),
  "a JWT that never expires": jwt({ exp: undefined }),
  "a JWT that expires as text": jwt({ exp: `${now + 3600}` }),
  "a JWT of tomorrow": jwt({ nbf: now + 86400, exp: now + 90000 }),
  "a JWT made tomorrow": jwt({ iat: now + 86400, exp: now + 90000 }),
  "a JWT for another audience": jwt({ aud: "other" }),
  "a JWT for no audience": jwt({ aud: undefined }),
  "a JWT of another issuer": jwt({ iss: "https://login.example.evil" }),
  "a JWT of no issuer": jwt({ iss: undefined }),
  "a JWT with other claims": `${head}.${part({ ...claims, sub: "root" })}.${seal}`,
  "a JWT with another header": `${part({ alg: "RS256", typ: "jwt" })}.${body}.${seal}`,
  "a JWT with padding": `${good}=`,
  "a JWT of five parts": `${good}.${body}.${seal}`,
  "a JWT without its signature": `${head}.${body}.`,
  "a JWT of more than 8 KiB": jwt({ filler: "x".repeat(6000) }),
};
const yaml = `admin_jwt:
  key_file: ${join(keys, "jwt.pem")}
  audience: vitrace
  issuer: https://login.example
limits:
  admin_failures_per_minute: 0
admin_tokens: ["${createHash("sha256").update(TOKEN).digest("hex")}"]
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
  "a JWT": { header: `Bearer ${good}`, opensAdmin: true },
  "a JWT with a key id": { header: `Bearer ${jwt({}, { kid: "2026-11" })}`, opensAdmin: true },
  "a JWT in the query": { query: `access_token=${good}` },
  "a JWT as Basic": { header: `Basic ${good}` },
  ...Object.fromEntries(Object.entries(refusedTokens).map(([name, token]) => [name, { header: `Bearer ${token}`, isExtra: true }])),
  "both": { header: `Bearer ${TOKEN}`, query: `k=${KEY}`, opensAdmin: true, opensIngest: true },
};

const methods = ["GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "FROB", "get"];
const assets = ["/v1/vitrace.js", "/v1/vitrace-bridge.js", "/v1/vitrace-worker.js", "/v1/vitrace.wasm"];
const paths = ["/", "/index.html", "/healthz", "/readyz", "/metrics", "/api/v1/apps", "/api/v1/nothing", "/v1/beacon", "/v1/traces", "/v1/nothing", "/*", ...assets];
const lure = ["//metrics", "/./metrics", "/x/../metrics", "/metrics/", "/METRICS", "/%6detrics", "/metrics%00", "/metrics;x", "/api/v1//apps",
  "/api/v1/../v1/apps", "/API/v1/apps", "/%61pi/v1/apps", "/api/v1/apps/", "/api//v1/apps", "/api/v1/%61pps", "/api/v1", "/..%2f..%2fetc/passwd", "/../../etc/passwd"];

const isRead = (method) => method === "GET" || method === "HEAD";
const isUnread = (method) => ["FROB", "get"].includes(method); // not HTTP/1.1 as it is read; in HTTP/2 a method like others

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

async function askAll(daemon, listener, tally, Speaker) {
  const client = new Speaker(daemon.port(listener));
  const isHttp1 = Speaker === Client;
  for (const path of paths)
    for (const method of methods.filter((name) => isHttp1 || name !== "CONNECT")) // which has no path in HTTP/2
      for (const [name, credential] of Object.entries(credentials)) {
        if (credential.isExtra && !(method === "GET" && path === "/metrics") && !(method === "HEAD" && path === "/api/v1/apps")) continue; // the doors, not every path
        const owed = [isHttp1 && isUnread(method) ? 400 : rules[listener](method, path, credential)].flat();
        const { status, headers, body } = await client.ask(write(method, path, credential), method === "HEAD");
        const what = `${listener}${isHttp1 ? "" : " over HTTP/2"}: ${method} ${path} with ${name}`;
        tally.check(`${what} is answered ${owed.join(" or ")}`, owed.includes(status), `${status} ${body.slice(0, 200)}`);
        if (status === 401) tally.check(`${what} names its scheme`, headers.get("www-authenticate")?.startsWith("Bearer "), "");
        if (status === 405) tally.check(`${what} names what is allowed`, headers.has("allow"), "");
        tally.check(`${what} is echoed nothing`, !body.includes(TOKEN) && !body.includes(KEY) && !body.includes(seal), body.slice(0, 200));
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

// Every strict prefix of a token that would open.
async function askCutShort(daemon, tally) {
  const client = new Client(daemon.port("admin"));
  for (let size = 0; size < good.length; size++) {
    const { status } = await client.ask(write("GET", "/metrics", { header: `Bearer ${good.slice(0, size)}` }));
    tally.check(`the first ${size} bytes of a JWT open nothing`, status === 401, `${status}`);
  }
  client.close();
}

// The limit of wrong tokens as it is by default, with an address that is late beside one that is not.
async function askTooOften(binary, tally) {
  const daemon = await Daemon.start(binary, yaml.replace(/limits:\n.*\n/, "trusted_proxies: 1\n"));
  const client = new Client(daemon.port("admin"));
  const ask = (token, from) => client.ask(write("GET", "/metrics", { header: `Bearer ${token}\r\nX-Forwarded-For: ${from}` }));
  const waits = new Set();
  let refused = 0, late = 0;
  for (let i = 0; i < 60; i++) {
    const { status, headers } = await ask("wrong", "192.0.2.1");
    refused += status === 401;
    late += status === 429;
    if (status === 429) waits.add(Number(headers.get("retry-after")));
  }
  tally.check("30 wrong tokens are judged, then one every 10 seconds", refused >= 30 && refused <= 36 && refused + late === 60, `${refused} and ${late}`);
  tally.check("an address that is late is told when to come back, each time otherwise", waits.size > 3 && Math.min(...waits) >= 1 && Math.max(...waits) <= 24, [...waits].join(" "));
  const statuses = [];
  for (const [token, from] of [[TOKEN, "192.0.2.1"], [good, "192.0.2.1"], [TOKEN, "192.0.2.2"], [good, "192.0.2.3"]]) statuses.push((await ask(token, from)).status);
  tally.check("it is not judged even when it has the right one, and others are", String(statuses) === "429,429,200,200", String(statuses));
  client.close();
  tally.check("it ends cleanly, too", (await daemon.stop()) === "");
}

const daemon = await Daemon.start(process.argv[2], yaml);
const tally = new Tally();
for (const listener of Object.keys(rules)) {
  await tally.section(`${listener}: ${paths.length} paths x ${methods.length} methods x ${Object.keys(credentials).length} keys`, () => askAll(daemon, listener, tally, Client));
  await tally.section(`${listener} over HTTP/2`, () => askAll(daemon, listener, tally, StreamClient));
  await tally.section(`${listener}: ${lure.length} other spellings`, () => askAround(daemon, listener, tally));
}
await tally.section("admin: every strict prefix of a JWT", () => askCutShort(daemon, tally));
const ended = await daemon.stop();
tally.check("it ends cleanly", ended === "", ended);
await tally.section("admin: wrong tokens too often", () => askTooOften(process.argv[2], tally));
rmSync(keys, { recursive: true });
tally.close();
