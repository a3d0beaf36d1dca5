// More than 200 origins against the configured ones: what POST and preflight are answered, and with which CORS headers.
// Everything that merely looks like a good origin is made from the good ones.
//
//   node tests/border/origins.mjs path/to/vitrace
import { beaconFor } from "../e2e/beacon_sample.mjs";
import { Client, Daemon, Tally } from "./daemon.mjs";

const LEAST = 200;
const exact = ["https://shop.example", "http://shop.example:8080", "https://xn--bcher-kva.example", "https://[2001:db8::1]:8443", "http://192.0.2.7", "chrome-extension://abcdefghijklmnop", "http://localhost:3000"];
const yaml = `apps:
  - name: shop
    origins: ${JSON.stringify(exact)}
  - name: blog
    origins: ["https://*.wild.example", "https://*.wild.example:8443"]
`;

// What is let in: `app` is the one that it belongs to.
const good = [
  ...exact.map((origin) => ({ origin, app: "shop" })),
  ...["https://a.wild.example", "https://a.b.wild.example", "https://xn--80a.wild.example", "https://a-b_c.wild.example", "https://1.wild.example:8443", `https://${"a.".repeat(60)}wild.example`]
    .map((origin) => ({ origin, app: "blog" })),
];

// Each must make another origin of a good one, or none.
const twists = [
  (o) => o.toUpperCase(),
  (o) => o.replace(/^\w/, (c) => c.toUpperCase()),
  (o) => o.replace(/(:\/\/.*?)([a-z])/, (_, front, c) => front + c.toUpperCase()),
  (o) => `${o.replace(/:\d+$/, "")}:65535`,
  (o) => o.replace(/(:\d+)?$/, ".$1"),
  (o) => o.replace("://", "://user@"),
  (o) => o.replace("://", "://user:secret@"),
  (o) => o.replace("://", "://@"),
  (o) => `${o}@evil.example`,
  (o) => `https://evil.example@${o.split("://")[1]}`,
  (o) => `${o}/`,
  (o) => `${o}/path`,
  (o) => `${o}?`,
  (o) => `${o}#`,
  (o) => `${o}.evil.example`,
  (o) => `${o}evil`,
  (o) => o.replace("://", "://."),
  (o) => o.replace("://", "://*"),
  (o) => `https://evil.example/${o}`,
  (o) => `https://evil.example?${o}`,
  (o) => `https://evil.example#${o}`,
  (o) => `https://evil.example\\.${o.split("://")[1]}`,
  (o) => `${o} https://evil.example`,
  (o) => `https://evil.example ${o}`,
  (o) => `${o},${o}`,
  (o) => `${o}\t${o}`,
  (o) => `${o};`,
  (o) => `${o}%00`,
  (o) => `${o}%2eevil.example`,
  (o) => o.replace(".", "%2e").replace(/^([^.%]*)$/, "$1%2e"),
  (o) => o.replace("://", ":"),
  (o) => o.replace("://", ":/"),
  (o) => o.replace("://", ":///"),
  (o) => o.replace("://", "://////"),
  (o) => o.replace(/^.*:\/\//, "//"),
  (o) => o.replace(/^.*:\/\//, ""),
  (o) => o.replace(/^\w+/, "ftp"),
  (o) => o.replace(/^[\w-]+/, "blob:https"),
  (o) => o.replace(/^[\w-]+/, (scheme) => (scheme === "https" ? "http" : "https")),
  (o) => `${o}:`,
  (o) => `${o}:0`,
  (o) => `${o.replace(/:\d+$/, "")}:08443`,
  (o) => `${o.replace(/:\d+$/, "")}:+8443`,
  (o) => `${o.replace(/:\d+$/, "")}:84430000`,
  (o) => `"${o}"`,
  (o) => `<${o}>`,
  (o) => o.split("").reverse().join(""),
  (o) => o.slice(0, -1),
];
// Of a name under a wildcard these make another one under it.
const exactTwists = [
  (o) => (/:\d+$/.test(o) ? o.replace(/:\d+$/, "") : `${o}:${o.startsWith("https") ? 443 : 80}`),
  (o) => o.replace("://", "://evil"),
  (o) => o.replace("://", "://evil."),
];
const others = [
  "null", "NULL", "Null", "undefined", "*", "https://*", "https://*.wild.example", "https://wild.example", "https://.wild.example", "https://a..wild.example",
  "https://awild.example", "https://a.wild.example.evil.example", "https://a.wild.example:443", "http://a.wild.example", "https://[a.wild.example]",
  "file://", "file:///", "file:///home/x/index.html", "data:text/html,x", "about:blank", "about:srcdoc", "javascript:alert(1)", "blob:null/x",
  "https://", "https:", "https", "://", ":", "/", "//", ".", "..", "-", "0", "false", "[]", "{}",
  "https://[2001:db8::1]", "https://[2001:DB8::1]:8443", "https://[2001:db8:0::1]:8443", "https://[2001:db8::1%25eth0]:8443", "https://2001:db8::1:8443", "https://[::ffff:192.0.2.7]",
  "http://192.0.2.07", "http://192.0.2.7.", "http://3221225991", "http://0xc0000207", "http://192.0.519", "http://192.0.2.70", "http://127.0.0.1:3000", "http://[::1]:3000",
  "http://localhost", "http://localhost:30000", "http://localhost.:3000", "http://shop.localhost:3000",
  "https://b\xc3\xbccher.example", "https://xn--bcher-kva.example.", "https://XN--BCHER-KVA.example", "https://sh\xc3\xb3p.example", "https://sh\xd0\xbep.example", "https://shop\xe3\x80\x82example", "https://shop.example\xe2\x80\x8b", "https://s\xc2\xadhop.example",
  "moz-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnoq", "app://shop.example", "capacitor://localhost", "ionic://localhost", "tauri://localhost",
  `https://${"a".repeat(250)}`, `https://${"a.".repeat(120)}wild.example`, `https://shop.example${"/".repeat(4000)}`, `https://${"shop.example".repeat(500)}`, `https://shop.example:${"0".repeat(8000)}`,
  "\xffhttps://shop.example", "https://shop.example\xff",
];

// undefined app: no app lets it in.
function rows() {
  const all = new Map(good.map(({ origin, app }) => [origin, app]));
  for (const { origin, app } of good)
    for (const twist of app === "blog" ? twists : [...twists, ...exactTwists]) if (!all.has(twist(origin))) all.set(twist(origin), undefined);
  for (const origin of others) if (!all.has(origin)) all.set(origin, undefined);
  return [...all].map(([origin, app]) => ({ name: JSON.stringify(origin).slice(0, 100), head: `Origin: ${origin}\r\n`, origin, app }));
}
const heads = [
  { name: "no Origin", head: "" },
  { name: "an empty Origin", head: "Origin:\r\n" },
  { name: "a good one twice", head: "Origin: https://shop.example\r\nOrigin: https://shop.example\r\n" },
  { name: "a good one, then another", head: "Origin: https://shop.example\r\nOrigin: https://evil.example\r\n" },
  { name: "another, then a good one", head: "Origin: https://evil.example\r\norigin: https://shop.example\r\n" },
  { name: "a good one and a control byte", head: "Origin: https://shop.example\x01\r\n", isNoHttp: true },
  { name: "a good one and DEL", head: "Origin: https://shop.example\x7f\r\n", isNoHttp: true },
  { name: "a good one and a NUL", head: "Origin: https://shop.example\0\r\n", isNoHttp: true },
  { name: "a good one, folded", head: "Origin:\r\n https://shop.example\r\n", isNoHttp: true },
  { name: "a good one as Referer only", head: "Referer: https://shop.example/\r\n" },
  { name: "a good one between blanks", head: "ORIGIN:   https://shop.example  \r\n", origin: "https://shop.example", app: "shop" },
];

const daemon = await Daemon.start(process.argv[2], yaml);
const tally = new Tally();
const client = new Client(daemon.port("listen"));

function checkCors(what, { headers, body, status }, allowed, row) {
  if (row.isNoHttp) return;
  const echoed = headers.get("access-control-allow-origin");
  tally.check(`${what}: its CORS answer`, echoed === (allowed ? row.origin : undefined), `${status}, allowed ${echoed}`);
  tally.check(`${what}: caches are told`, (headers.get("vary") ?? "").toLowerCase().includes("origin"), `${status} ${headers.get("vary")}`);
  tally.check(`${what}: no other origin is told`, !body.includes("://"), body.slice(0, 200));
}

async function ask(row) {
  for (const app of ["shop", "blog"]) {
    const body = beaconFor(app).toString("latin1");
    const answer = await client.ask(`POST /v1/beacon HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n${row.head}Content-Length: ${body.length}\r\n\r\n${body}`);
    const allowed = row.app === app;
    tally.check(`${row.name}, a beacon of ${app}`, answer.status === (row.isNoHttp ? 400 : allowed ? 204 : 403), `${answer.status} ${answer.body}`);
    checkCors(`${row.name}, a beacon of ${app}`, answer, allowed, row);
  }
  const preflight = await client.ask(`OPTIONS /v1/beacon HTTP/1.1\r\nHost: x\r\n${row.head}Access-Control-Request-Method: POST\r\n\r\n`);
  tally.check(`${row.name}, a preflight`, preflight.status === (row.isNoHttp ? 400 : row.app ? 204 : 403), preflight.status);
  checkCors(`${row.name}, a preflight`, preflight, row.app !== undefined, row);
}

const table = [...rows(), ...heads];
tally.check(`there are at least ${LEAST} origins`, table.length >= LEAST, table.length);
await tally.section(`${table.length} origins, two apps and a preflight each`, async () => {
  for (const row of table) await ask(row);
});
client.close();
const ended = await daemon.stop();
tally.check("it ends cleanly", ended === "", ended);
tally.close();
