// Ambiguous requests, sent to the collector directly and through proxies of two makes. Directly, each is answered as
// requests.mjs says. Through a proxy:
//
//   attacker --bytes + MARK--> front --one connection, shared by all clients--> collector
//   victims  --GET /victim---> front ---------------^                           counts requests; the front logs how many
//
//   1. the collector counts no more requests than the front has sent: nothing was cut into more
//   2. each victim, behind the attacker on the shared connection, gets its own answer (404) and none of another request's
//
// A back that ignores chunks stands in last, and must be found out: this test can fail.
//
//   node tests/border/smuggling.mjs path/to/vitrace
import { execFileSync, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Client, Daemon, Tally, answersIn, overhear, talk } from "./daemon.mjs";
import { MARK, REFUSED, requests } from "./requests.mjs";

const SETTLE_MS_MAX = 10_000; // for the front's line in its log
const READY_MS_MAX = 10_000;
const VICTIMS = 2; // for each attack

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

const nginx = {
  program: ["nginx", "-p", ".", "-c", "nginx.conf", "-e", "stderr"],
  file: "nginx.conf",
  text: (front, back, log, buffering) => `daemon off; master_process off; pid nginx.pid; error_log stderr crit;
events { worker_connections 64; }
http {
  log_format upstream 'bytes=$upstream_bytes_sent';
  access_log syslog:server=127.0.0.1:${log},nohostname upstream;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  client_header_timeout 2s; client_body_timeout 2s;
  upstream collector { server 127.0.0.1:${back}; keepalive 1; }
  server {
    listen 127.0.0.1:${front};
    location / { proxy_pass http://collector; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host x; proxy_request_buffering ${buffering}; }
  }
}
`,
};
const haproxy = {
  program: ["haproxy", "-db", "-f", "haproxy.cfg"],
  file: "haproxy.cfg",
  text: (front, back, log, protocol = "") => `global
  nbthread 1
  log 127.0.0.1:${log} format raw local0
defaults
  mode http
  log global
  log-format "sent=%[srv_name] %s"
  option http-keep-alive
  http-reuse always
  timeout client 2s
  timeout http-request 2s
  timeout server 5s
  timeout connect 5s
listen front
  bind 127.0.0.1:${front}
  server collector 127.0.0.1:${back} pool-max-conn 1 ${protocol}
`,
};
const fronts = [
  { name: "nginx that reads bodies first", ...nginx, text: (front, back, log) => nginx.text(front, back, log, "on") },
  { name: "nginx that passes bodies on", ...nginx, text: (front, back, log) => nginx.text(front, back, log, "off") },
  { name: "HAProxy", ...haproxy },
  { name: "HAProxy that speaks HTTP/2 to its back", ...haproxy, text: (front, back, log) => haproxy.text(front, back, log, "proto h2") },
];

const isInstalled = (program) => {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`], { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });
    return true;
  } catch {
    return false;
  }
};

// A proxy under way, and how many requests it says it has sent to its back.
class Front {
  static async start(kind, back) {
    const self = Object.assign(new Front(), { sent: 0, lines: 0, folder: mkdtempSync(join(tmpdir(), "vitrace-front.")) });
    self.log = createSocket("udp4").bind(0, "127.0.0.1");
    await once(self.log, "listening");
    self.log.on("message", (line) => self.read(line.toString()));
    self.port = await freePort();
    writeFileSync(join(self.folder, kind.file), kind.text(self.port, back, self.log.address().port));
    const [program, ...flags] = kind.program;
    const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
    self.process = spawn(program, flags, { cwd: self.folder, env, stdio: ["ignore", "ignore", "pipe"] });
    self.said = "";
    self.process.stderr.on("data", (text) => (self.said += text));
    self.ended = once(self.process, "exit");
    for (let waited = 0; waited < READY_MS_MAX; waited += 50) {
      if (self.process.exitCode !== null) throw new Error(`${kind.name} did not start: ${self.said}`);
      const socket = connect(self.port, "127.0.0.1");
      const open = await Promise.race([once(socket, "connect").then(() => true, () => false), pause(500, false)]);
      socket.destroy();
      if (open) return self;
      await pause(50);
    }
    throw new Error(`${kind.name} does not listen: ${self.said}`);
  }

  // nginx: how many bytes it sent, "a, b" when it tried again, also when the client left before the answer; "-" or 0 = nothing.
  // HAProxy: the server's name.
  read(line) {
    const [, bytes] = /bytes=(.*)/.exec(line) ?? [];
    const [, server] = /sent=(.*)/.exec(line) ?? [];
    this.lines++;
    if (bytes) this.sent += bytes.split(", ").filter((count) => Number(count) > 0).length;
    if (server && !server.includes("<NOSRV>")) this.sent++;
  }

  async stop() {
    this.process.kill("SIGTERM");
    await Promise.race([this.ended, pause(3000)]);
    if (this.process.exitCode === null) this.process.kill("SIGKILL");
    this.log.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function askDirectly(daemon, tally) {
  for (const { name, bytes, owed } of requests) {
    const ends = owed === REFUSED || owed.at(-1) !== 404;
    const statuses = owed === REFUSED ? [400] : owed;
    const { text, closed } = await talk(daemon.port("listen"), bytes + MARK, (so_far, ended) => ended || (!ends && answersIn(so_far).length >= statuses.length));
    const answers = answersIn(text);
    const got = answers.map(({ status }) => status).join(" ");
    tally.check(`${name} is answered ${statuses.join(" ")}`, got === statuses.join(" ") && closed === ends, `${got}, ${closed ? "closed" : "open"}`);
    if (owed === REFUSED) tally.check(`${name} is said not to be HTTP`, answers[0]?.body.includes('"bad_request"'), answers[0]?.body);
  }
}

// Its own answer is 404. A front that lost its connection to the back says so (502 to 504), which is no other's answer.
async function askAsVictim(front, path) {
  const client = new Client(front.port);
  const { status } = await client.ask(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  client.close();
  return status;
}

// Returns what went wrong, "" = nothing.
async function attack(front, count, { name, bytes }) {
  const before = { sent: front.sent, back: await count() };
  await overhear(front.port, bytes + MARK, 1);
  for (let i = 0; i < VICTIMS; i++) {
    const status = await askAsVictim(front, `/victim-${i}`);
    if (status !== 404 && !(status >= 502 && status <= 504)) return `${name}: a victim is answered ${status}`;
  }
  const settled = async () => (await count()) - before.back <= front.sent - before.sent;
  for (let waited = 0; waited < SETTLE_MS_MAX; waited += 50) {
    if (await settled()) return "";
    await pause(50);
  }
  return `${name}: the front sent ${front.sent - before.sent}, the back counted ${(await count()) - before.back}`;
}

async function attackThrough(kind, binary, tally) {
  const daemon = await Daemon.start(binary);
  const front = await Front.start(kind, daemon.port("listen"));
  // /metrics is asked on the admin listener, and counts itself there: one request each.
  let asked = 0;
  const count = async () => (await daemon.metric("vitrace_http_requests_total")) - ++asked;
  for (const request of requests) {
    const wrong = await attack(front, count, request);
    tally.check(`${kind.name}: ${request.name}`, wrong === "", wrong);
  }
  const passed = front.sent - requests.length * VICTIMS;
  tally.check(`${kind.name} passes on enough for this to mean something`, passed > requests.length / 4, `${passed} requests`);
  console.log(`     ${kind.name}: ${requests.length} attacks, ${passed} requests reached the collector`);
  await front.stop();
  const ended = await daemon.stop();
  tally.check(`behind ${kind.name} the collector ends cleanly`, ended === "", ended);
}

// Takes whatever follows a head for the next request, whatever the head says of a body.
async function startNaiveBack() {
  const self = { requests: 0 };
  self.server = createServer((socket) => {
    let text = "";
    socket.on("error", () => {});
    socket.on("data", (more) => {
      for (text += more.toString("latin1"); text.includes("\r\n\r\n"); text = text.slice(text.indexOf("\r\n\r\n") + 4)) {
        self.requests++;
        const status = /\/(victim|mark)/.test(text.slice(0, text.indexOf("\r\n\r\n"))) ? "404 Not Found" : "200 OK";
        socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`);
      }
    });
  }).listen(0, "127.0.0.1");
  await once(self.server, "listening");
  return Object.assign(self, { port: self.server.address().port });
}

async function findOut(kind, tally) {
  const back = await startNaiveBack();
  const front = await Front.start(kind, back.port);
  const { bytes } = requests.find(({ name }) => name === "a request in a chunk");
  const inner = bytes.replace("X-Hidden: ", "X: yy\r\n\r\n"); // whole, and as long
  const before = front.sent;
  await overhear(front.port, inner, 1);
  for (let waited = 0; waited < SETTLE_MS_MAX && front.lines < 1; waited += 50) await pause(50);
  tally.check(`a back behind ${kind.name} that ignores chunks is found out`, back.requests > front.sent - before, `${back.requests} of ${front.sent - before}`);
  await front.stop();
  back.server.close();
}

const binary = process.argv[2];
const tally = new Tally();
const alone = await Daemon.start(binary);
await tally.section(`directly: ${requests.length} requests`, () => askDirectly(alone, tally));
const ended = await alone.stop();
tally.check("it ends cleanly", ended === "", ended);
const here = fronts.filter(({ program: [name], name: what }) => isInstalled(name) || console.log(`     ${what} is not installed: skipped`));
await tally.section("behind proxies", () => Promise.all(here.map((kind) => attackThrough(kind, binary, tally))));
const streaming = here.find(({ name }) => name === "HAProxy");
if (streaming) await findOut(streaming, tally);
tally.close();
