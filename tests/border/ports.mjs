// What the default configuration opens, and what each port answers to those who speak something else. In a network
// namespace of its own, so that the documented ports are free, /proc/net lists nothing else, and there is an address that
// is not loopback.
//
//   node tests/border/ports.mjs path/to/vitrace
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { Daemon, Tally, answersIn, talk } from "./daemon.mjs";

const OTHER_ADDRESS = "10.9.8.7";
const DOCUMENTED = { otlp_grpc: 4317, otlp_http: 4318, listen: 4319, admin: 4320 };
const HTTP = ["otlp_http", "listen", "admin"];

// Local addresses as "127.0.0.1:4318"; `state` 0A is LISTEN, and 07 a UDP socket without a peer.
function socketsIn(table, state) {
  return readFileSync(`/proc/net/${table}`, "latin1").trim().split("\n").slice(1).map((line) => line.trim().split(/\s+/))
    .filter((row) => row[3] === state)
    .map(([, local]) => {
      const [host, port] = local.split(":");
      const address = host.length === 8 ? host.match(/../g).reverse().map((byte) => parseInt(byte, 16)).join(".") : host;
      return `${address}:${parseInt(port, 16)}`;
    }).sort();
}

function connects(host, port) {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port });
    socket.on("connect", () => { socket.destroy(); resolve(true); });
    socket.on("error", () => resolve(false));
  });
}

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const strangers = {
  garbage: "\0\xff\x80\x01garbage\r\n\r\n",
  "a TLS hello": `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${"r".repeat(507)}`,
  "the preface of HTTP/2": `${preface}\0\0\0\x04\0\0\0\0\0`,
  "an SSH banner": "SSH-2.0-OpenSSH_9.2p1\r\n",
  "an SMTP greeting": "EHLO x\r\n",
  "a SOCKS greeting": "\x05\x01\x00",
  "a Redis command": "*1\r\n$4\r\nPING\r\n",
  "a PROXY line": "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
  "newlines": "\n".repeat(100),
};

// HTTP: 400 in less than 300 bytes that do not say what runs here, and the end; to who speaks HTTP/2, SETTINGS.
async function knockAtHttp(listener, tally) {
  for (const [name, bytes] of Object.entries(strangers)) {
    if (bytes.startsWith(preface)) {
      await knockByPreface(listener, bytes, tally);
      continue;
    }
    const { text, closed } = await talk(DOCUMENTED[listener], bytes);
    const [answer] = answersIn(text);
    tally.check(`${listener} answers ${name} with 400 and hangs up`, answer?.status === 400 && closed, `${text.slice(0, 80)} ${closed}`);
    tally.check(`${listener} says to ${name} what it is in few bytes`, text.length < 300 && !/server:|vitrace/i.test(text), text);
  }
}

async function knockByPreface(listener, bytes, tally) {
  const { text, closed } = await talk(DOCUMENTED[listener], bytes, (so_far, ended) => ended || so_far.length > 0);
  tally.check(`${listener} speaks with who speaks HTTP/2`, !closed && text[3] === "\x04" && text.slice(5, 9) === "\0\0\0\0", JSON.stringify(text));
  tally.check(`${listener} says nothing but SETTINGS`, text.length < 100, JSON.stringify(text));
}

// gRPC: a server of HTTP/2 says its SETTINGS (frame type 4 on stream 0) to anybody, and hangs up on who is not one.
async function knockAtGrpc(tally) {
  for (const [name, bytes] of Object.entries({ ...strangers, "HTTP/1.1": "GET / HTTP/1.1\r\nHost: x\r\n\r\n" })) {
    const speaks = bytes.startsWith(preface);
    const { text, closed } = await talk(DOCUMENTED.otlp_grpc, bytes, (so_far, ended) => ended || (speaks && so_far.length > 0));
    tally.check(`otlp_grpc ${speaks ? "speaks with" : "hangs up on"} ${name}`, closed !== speaks, `${JSON.stringify(text.slice(0, 80))} ${closed}`);
    tally.check(`otlp_grpc says nothing but SETTINGS and GOAWAY to ${name}`, text.length < 300 && (text === "" || (text[3] === "\x04" && text.slice(5, 9) === "\0\0\0\0")), JSON.stringify(text));
  }
}

async function inside(binary) {
  const tally = new Tally();
  const before = socketsIn("tcp", "0A");
  const daemon = await Daemon.startPlain(binary);
  const ports = Object.values(DOCUMENTED).map((port) => `127.0.0.1:${port}`).sort();
  tally.check("nothing listened before", before.length === 0, before.join(" "));
  const listening = [...new Set(socketsIn("tcp", "0A"))]; // SO_REUSEPORT: one for each thread
  tally.check("exactly the documented ports listen, on loopback", listening.join(" ") === ports.join(" "), listening.join(" "));
  for (const [table, state] of [["tcp6", "0A"], ["udp", "07"], ["udp6", "07"], ["raw", "07"], ["raw6", "07"]])
    tally.check(`nothing listens in ${table}`, socketsIn(table, state).length === 0, socketsIn(table, state).join(" "));
  for (const [name, port] of Object.entries(DOCUMENTED)) {
    tally.check(`${name} is reached on loopback`, await connects("127.0.0.1", port));
    tally.check(`${name} is not reached by another address`, !(await connects(OTHER_ADDRESS, port)));
    tally.check(`${name} is not reached by IPv6`, !(await connects("::1", port)));
  }
  for (const listener of HTTP) await tally.section(`${listener} and strangers`, () => knockAtHttp(listener, tally));
  await tally.section("otlp_grpc and strangers", () => knockAtGrpc(tally));
  const ended = await daemon.stop();
  tally.check("it ends cleanly", ended === "", ended);
  tally.close();
}

// As root, or as a user who may have a namespace; where neither is allowed nothing can be shown.
function outside(binary) {
  const script = `ip link set lo up && ip addr add ${OTHER_ADDRESS}/32 dev lo && exec "$@"`;
  const flags = process.getuid() === 0 ? ["-n"] : ["-r", "-n"];
  const can = spawnSync("unshare", [...flags, "sh", "-c", script, "sh", "true"], { stdio: "ignore" }).status === 0;
  if (!can) {
    console.log("no network namespace here (unshare, ip): the ports were not scanned\n0 passed, 0 failed");
    return;
  }
  const command = [process.execPath, process.argv[1], binary, "--inside"];
  process.exitCode = spawnSync("unshare", [...flags, "sh", "-c", script, "sh", ...command], { stdio: "inherit" }).status ?? 1;
}

if (process.argv[3] === "--inside") await inside(process.argv[2]);
else outside(process.argv[2]);
