// TLS and Unix sockets as an operator uses them: wrong settings, versions, ALPN, a renewal by links and SIGHUP, a proxy in front.
// Usage: node tests/e2e/tls.mjs [path of vitrace]     Closes with "N passed, N failed". Needs openssl; nginx is used when there.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import tls from "node:tls";

const binary = process.argv[2] ?? "build/release/vitrace";
const work = mkdtempSync(join(tmpdir(), "vitrace-tls."));
chmodSync(work, 0o755);
const children = [];
process.on("exit", () => { for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL"); });
let passed = 0;
let failed = 0;
function check(sentence, good, detail = "") {
  good ? passed++ : failed++;
  console.log(`${good ? "ok  " : "FAIL"} ${sentence}${good ? "" : `: ${detail}`}`);
}

// As renewal tools lay it out: live/ has links that are replaced, archive/ the files.
const live = join(work, "live"), archive = join(work, "archive");
mkdirSync(live);
mkdirSync(archive);
function issue(n) {
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "2", "-keyout", join(archive, `privkey${n}.pem`),
    "-out", join(archive, `fullchain${n}.pem`)], { stdio: "ignore" });
  chmodSync(join(archive, `privkey${n}.pem`), 0o600);
  return readFileSync(join(archive, `fullchain${n}.pem`));
}
function link(name, n) {
  symlinkSync(`../archive/${name}${n}.pem`, join(live, "next"));
  renameSync(join(live, "next"), join(live, `${name}.pem`));
}
const certificates = [null, issue(1), issue(2)];
link("fullchain", 1);
link("privkey", 1);
const files = ["--tls-certificate", join(live, "fullchain.pem"), "--tls-key", join(live, "privkey.pem")];

// --- settings that cannot work, told before anything starts
const elsewhere = ["--listen", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0", "--otlp-grpc", "", "--admin", "127.0.0.1:0"];
function judge(...more) {
  const { status, stderr, stdout } = spawnSync(binary, ["serve", "--check", "--data", join(work, "none"), ...elsewhere, ...more], { encoding: "utf8" });
  return { status, text: stderr + stdout };
}
function refuses(sentence, pattern, ...more) {
  const { status, text } = judge(...more);
  check(`--check refuses ${sentence}`, status !== 0 && pattern.test(text), text);
}
refuses("a certificate without a key", /tls_key: is missing: tls_certificate and tls_key come together/, ...files.slice(0, 2));
refuses("a key of another certificate", /tls_key: .*privkey2.pem: does not belong to the certificate/, ...files.slice(0, 3), join(archive, "privkey2.pem"));
refuses("a file that is not there", /tls_certificate: \/nowhere.pem: No such file or directory/, "--tls-certificate", "/nowhere.pem", ...files.slice(2));
refuses("a file of another kind", /tls_certificate: .*privkey1.pem: is not a PEM certificate/, "--tls-certificate", join(archive, "privkey1.pem"), ...files.slice(2));
refuses("a listener that is none", /tls_listeners: 'web' is none of listen, otlp_http, otlp_grpc, admin/, ...files, "--tls-listeners", "listen,web");
refuses("a relative path of a socket", /'unix:x.sock' is not unix:\/PATH/, "--admin", "unix:x.sock");
check("--check takes what works", judge(...files).status === 0, judge(...files).text);
issue(9);
execFileSync("openssl", ["x509", "-in", join(archive, "fullchain9.pem"), "-signkey", join(archive, "privkey9.pem"), "-days", "-1",
  "-out", join(archive, "fullchain9.pem")], { stdio: "ignore" });
const expired = judge("--tls-certificate", join(archive, "fullchain9.pem"), "--tls-key", join(archive, "privkey9.pem"));
check("an expired certificate is warned of, with its date", expired.status === 0 && /tls_certificate_date.*expired on 20\d\d-/.test(expired.text), expired.text);
chmodSync(join(archive, "privkey9.pem"), 0o644);
check("and a key that everybody can read", /tls_key_is_public/.test(judge("--tls-certificate", join(archive, "fullchain9.pem"),
  "--tls-key", join(archive, "privkey9.pem")).text));
if (process.getuid() === 0) {
  const sdk = mkdtempSync(join(tmpdir(), "vitrace-sdk-")); // which that user may read, wherever this tree lies
  chmodSync(sdk, 0o755);
  writeFileSync(join(sdk, "vitrace.js"), "");
  const { status, stderr } = spawnSync(binary, ["serve", "--data", join(work, "nobody"), "--sdk", sdk, ...elsewhere, ...files, "--user", "nobody"], { encoding: "utf8", timeout: 20000 });
  rmSync(sdk, { recursive: true });
  check("a key that its user could not read at a reload is refused at the start", status === 1 && /tls_key: .*Permission denied/.test(stderr), stderr);
}

// --- a daemon with TLS for pages and gRPC, and Unix sockets for the rest
async function serve(name, ...settings) {
  const data = join(work, name), log = join(work, `${name}.log`);
  const child = spawn(binary, ["serve", "--data", data, ...settings], { stdio: ["ignore", "ignore", openSync(log, "a")] });
  children.push(child);
  const ended = once(child, "exit");
  for (let i = 0; i < 200 && child.exitCode === null && !existsSync(join(data, "addresses.json")); i++) await pause(50);
  const addresses = existsSync(join(data, "addresses.json")) ? JSON.parse(readFileSync(join(data, "addresses.json"), "utf8")) : null;
  const said = () => readFileSync(log, "utf8");
  const events = (event) => said().split(`"event":"${event}"`).length - 1;
  async function reload(event) {
    const before = events(event);
    child.kill("SIGHUP");
    for (let i = 0; i < 200 && events(event) === before; i++) await pause(25);
    return events(event) > before;
  }
  return { child, ended, addresses, said, reload, data };
}
const adminSocket = join(work, "admin.sock"), otlpSocket = join(work, "otlp.sock");
const settings = ["--listen", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0", "--otlp-http", `unix:${otlpSocket}`, "--admin", `unix:${adminSocket}`,
  ...files, "--tls-listeners", "listen, otlp_grpc"];
let daemon = await serve("data", ...settings);
const { addresses } = daemon;
check("it starts, and shows where", addresses !== null && /^https:\/\/127.0.0.1:\d+$/.test(addresses.listen) && /^https:/.test(addresses.otlp_grpc) &&
  addresses.admin === `unix:${adminSocket}` && addresses.otlp_http === `unix:${otlpSocket}`, `${JSON.stringify(addresses)} ${daemon.said()}`);
const port = Number(new URL(addresses.listen).port), grpcPort = Number(new URL(addresses.otlp_grpc).port);

function ask(module, options, body) {
  return new Promise((resolve) => {
    const request = module.request(options, (response) => {
      let text = "";
      response.on("data", (chunk) => { text += chunk; });
      response.on("end", () => resolve({ status: response.statusCode, text, socket: response.socket }));
    });
    request.on("error", (error) => resolve({ status: 0, text: error.code ?? error.message }));
    request.setTimeout(10000, () => request.destroy(new Error("timeout")));
    request.end(body);
  });
}
const page = (ca, more = {}) => ({ host: "127.0.0.1", port, path: "/healthz", ca, agent: false, ...more });
async function metric(name, admin = adminSocket) {
  const { text } = await ask(http, { socketPath: admin, path: "/metrics" });
  return Number(text.split("\n").find((line) => line.startsWith(`${name} `))?.split(" ")[1]);
}

check("a page's request is answered over TLS", (await ask(https, page(certificates[1]))).status === 200);
check("a client that does not know the certificate hangs up", (await ask(https, page(certificates[2]))).status === 0);
const beacon = execFileSync("node", ["tests/e2e/beacon_sample.mjs", "shop"]);
const post = { method: "POST", path: "/v1/beacon", headers: { "Content-Type": "text/plain", "Content-Length": beacon.length } };
check("a beacon is taken over TLS", (await ask(https, page(certificates[1], post), beacon)).status === 204);
const plain = await ask(http, { host: "127.0.0.1", port, path: "/" });
check("a plain request is told what to do", plain.status === 400 && plain.text.includes("https://"), JSON.stringify(plain.text));

const shake = (options) => new Promise((resolve) => {
  const socket = tls.connect({ host: "127.0.0.1", port, ca: certificates[1], ...options }, () => resolve(socket));
  socket.on("error", (error) => resolve(error));
});
async function alpn(options) {
  const socket = await shake(options);
  const protocol = socket instanceof Error ? socket.code : socket.alpnProtocol;
  socket.destroy?.();
  return protocol;
}
check("ALPN: HTTP/2 where the client has it", await alpn({ ALPNProtocols: ["http/1.1", "h2"] }) === "h2");
check("ALPN: HTTP/1.1 else", await alpn({ ALPNProtocols: ["http/1.1"] }) === "http/1.1");
check("ALPN: neither is refused", /NO_APPLICATION_PROTOCOL|HANDSHAKE/i.test(await alpn({ ALPNProtocols: ["h3"] })), await alpn({ ALPNProtocols: ["h3"] }));
check("gRPC speaks HTTP/2", await alpn({ port: grpcPort, ALPNProtocols: ["h2"] }) === "h2");
check("and nothing else", await alpn({ port: grpcPort, ALPNProtocols: ["http/1.1"] }) !== "http/1.1");

function exchange(authority, headers, body, more = { ca: certificates[1] }) {
  return new Promise((resolve) => {
    const session = http2.connect(authority, more);
    session.on("error", (error) => resolve({ error }));
    const stream = session.request(headers);
    const got = {};
    stream.on("response", (head) => Object.assign(got, head));
    stream.on("trailers", (trailers) => Object.assign(got, trailers));
    stream.on("error", (error) => resolve({ error }));
    stream.on("close", () => { session.close(); resolve(got); });
    stream.resume();
    stream.end(body);
  });
}
const overH2 = await exchange(addresses.listen, { ":method": "POST", ":path": "/v1/beacon", "content-type": "text/plain" }, beacon);
check("a beacon is taken over HTTP/2", overH2[":status"] === 204, JSON.stringify(overH2));
const exported = { ":method": "POST", ":path": "/opentelemetry.proto.collector.trace.v1.TraceService/Export", "content-type": "application/grpc", te: "trailers" };
const call = await exchange(addresses.otlp_grpc, exported, Buffer.alloc(5));
check("an export over gRPC is taken", call["grpc-status"] === "0", JSON.stringify(call));

const s_client = (...more) => spawnSync("openssl", ["s_client", "-connect", `127.0.0.1:${port}`, ...more], { input: "", encoding: "utf8", timeout: 20000 }).status;
for (const version of ["-tls1", "-tls1_1"]) check(`${version.slice(1)} is refused`, s_client(version, "-cipher", "DEFAULT@SECLEVEL=0") !== 0);
for (const version of ["-tls1_2", "-tls1_3"]) check(`${version.slice(1)} is spoken`, s_client(version) === 0);
check("a cipher without encryption is refused", s_client("-tls1_2", "-cipher", "eNULL@SECLEVEL=0") !== 0);
check("refusals are counted by reason", await metric('vitrace_tls_handshakes_failed_total{reason="version"}') === 2 &&
  await metric('vitrace_tls_handshakes_failed_total{reason="plain_http"}') === 1 && await metric('vitrace_tls_handshakes_failed_total{reason="protocol"}') >= 2);

// --- Unix sockets
check("a Unix socket is for owner and group", (statSync(adminSocket).mode & 0o777) === 0o660);
check("the admin listener behind one asks for no token", (await ask(http, { socketPath: adminSocket, path: "/api/v1/apps" })).status === 200);
const spans = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", name: "GET",
  kind: 2, startTimeUnixNano: "1", endTimeUnixNano: "2" }] }] }] });
check("spans are taken through one", (await ask(http, { socketPath: otlpSocket, path: "/v1/traces", method: "POST", headers: { "Content-Type": "application/json" } }, spans)).status === 200);
const second = await serve("second", "--listen", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0", "--otlp-grpc", "", "--admin", `unix:${adminSocket}`);
await second.ended;
check("a second daemon does not take it away", /another process listens on it/.test(second.said()) && (await ask(http, { socketPath: adminSocket, path: "/healthz" })).status === 200, second.said());

// --- a renewal
const expiry = await metric("vitrace_tls_certificate_expiry_seconds");
check("the certificate's expiry is a metric", Math.abs(expiry - Date.now() / 1000 - 2 * 86400) < 3600, String(expiry));
const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: certificates[1] });
const kept = await ask(https, page(certificates[1], { agent }));
const before = await shake({ ALPNProtocols: ["http/1.1"] });
const ticket = new Promise((resolve) => before.once("session", resolve));
before.write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
const session = await ticket;
const again = await shake({ session, ALPNProtocols: ["http/1.1"] });
check("a ticket resumes a session", again.isSessionReused?.() === true);
again.destroy();

link("privkey", 2); // half of a renewal
check("a reload with half of a renewal is refused", await daemon.reload("reload_failed"), daemon.said());
check("and says which file", /tls_key: .*privkey.pem: does not belong to the certificate/.test(daemon.said()), daemon.said());
check("the old certificate is still there", (await ask(https, page(certificates[1]))).status === 200);
link("fullchain", 2);
check("the whole renewal is taken", await daemon.reload("reloaded"), daemon.said());
check("new connections get the new certificate", (await ask(https, page(certificates[2]))).status === 200 && (await ask(https, page(certificates[1]))).status === 0);
const keptOn = await ask(https, page(certificates[1], { agent }));
check("a connection from before goes on", keptOn.status === 200 && keptOn.socket === kept.socket, `${keptOn.status} ${keptOn.text}`);
agent.destroy();
before.destroy();
const late = await shake({ session, ca: certificates[2], ALPNProtocols: ["http/1.1"] });
check("its tickets are worth nothing any more", late.isSessionReused?.() === false, String(late));
late.destroy();
check("the expiry is the new one's", await metric("vitrace_tls_certificate_expiry_seconds") >= expiry);

let running = true;
let failures = 0;
let requests = 0;
const visitors = Array.from({ length: 4 }, async () => {
  while (running) {
    requests++;
    if ((await ask(https, page(certificates[2]))).status !== 200) failures++;
  }
});
let reloads = 0;
for (let i = 0; i < 20; i++) reloads += await daemon.reload("reloaded");
running = false;
await Promise.all(visitors);
check("20 reloads fail no connection", reloads === 20 && failures === 0 && requests > 20, `${reloads} reloads, ${failures} of ${requests} failed`);

// --- the end, and after a crash
daemon.child.kill("SIGTERM");
const [code] = await daemon.ended;
check("it ends cleanly, and its sockets are gone", code === 0 && !existsSync(adminSocket) && !existsSync(otlpSocket), `exit ${code} ${daemon.said()}`);
check("with nothing from the sanitizers", !/(Address|Leak|Thread)Sanitizer|runtime error/.test(daemon.said()), daemon.said());
daemon = await serve("data", ...settings);
daemon.child.kill("SIGKILL");
await daemon.ended;
check("after kill -9 the files are still there", existsSync(adminSocket) && existsSync(otlpSocket));
rmSync(join(daemon.data, "addresses.json"));
daemon = await serve("data", ...settings);
check("and the next one takes them over", (await ask(http, { socketPath: adminSocket, path: "/healthz" })).status === 200, daemon.said());
daemon.child.kill("SIGTERM");
await daemon.ended;

// --- a proxy in front: who is behind it is for X-Forwarded-For to say
const publicSocket = join(work, "public.sock");
writeFileSync(join(work, "proxied.yaml"), `listen: unix:${publicSocket}\ntrusted_proxies: 1\nlimits: { ip_per_second: 1, ip_burst: 1 }\n`);
daemon = await serve("proxied", "--config", join(work, "proxied.yaml"), "--otlp-http", "127.0.0.1:0",
  "--otlp-grpc", `unix:${join(work, "grpc.sock")}`, "--admin", "127.0.0.1:0");
const local = await exchange("http://localhost", exported, Buffer.alloc(5), { createConnection: () => net.connect(join(work, "grpc.sock")) });
check("gRPC goes over a Unix socket, too", local["grpc-status"] === "0", JSON.stringify(local));
const direct = () => ask(http, { socketPath: publicSocket, ...post }, beacon);
check("whoever has no address has no limit of one", (await direct()).status === 204 && (await direct()).status === 204 && (await direct()).status === 204);
const from = (address) => ask(http, { socketPath: publicSocket, ...post, headers: { ...post.headers, "X-Forwarded-For": address } }, beacon);
check("whoever has one has", (await from("192.0.2.1")).status === 204 && (await from("192.0.2.1")).status === 429 && (await from("192.0.2.2")).status === 204);
const nginx = ["/usr/sbin/nginx", "/usr/bin/nginx"].find(existsSync);
if (nginx === undefined) console.log("nginx is not installed: no proxy was tried");
else {
  const proxy = await new Promise((resolve) => { const probe = net.createServer().listen(0, "127.0.0.1", () => { const { port: free } = probe.address(); probe.close(() => resolve(free)); }); });
  const at = (name) => join(work, name);
  writeFileSync(at("nginx.conf"), `daemon off; ${process.getuid() === 0 ? "user root;" : ""} pid ${at("nginx.pid")}; error_log ${at("nginx.log")}; events {}
    http { access_log off; client_body_temp_path ${at("b")}; proxy_temp_path ${at("p")}; fastcgi_temp_path ${at("f")}; uwsgi_temp_path ${at("u")}; scgi_temp_path ${at("s")};
      upstream vitrace { server unix:${publicSocket}; keepalive 8; }
      server { listen 127.0.0.1:${proxy} ssl; ssl_certificate ${join(archive, "fullchain1.pem")}; ssl_certificate_key ${join(archive, "privkey1.pem")};
        location / { proxy_pass http://vitrace; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; } } }`);
  const server = spawn(nginx, ["-c", at("nginx.conf")], { stdio: "ignore" });
  children.push(server);
  const through = (localAddress) => ask(https, { host: "127.0.0.1", port: proxy, localAddress, agent: false, ca: certificates[1], ...post }, beacon);
  for (let i = 0; i < 100 && (await ask(https, { host: "127.0.0.1", port: proxy, path: "/healthz", agent: false, ca: certificates[1] })).status !== 200; i++) await pause(50);
  const answers = [await through("127.0.0.2"), await through("127.0.0.2"), await through("127.0.0.3"), await through("127.0.0.4")].map(({ status }) => status);
  check("behind nginx each client has its own limit", answers.join() === "204,429,204,204", answers.join());
  server.kill("SIGTERM");
  await once(server, "exit");
}
daemon.child.kill("SIGTERM");
await daemon.ended;

rmSync(work, { recursive: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
