// A page over TLS and HTTP/2, in Chromium: the SDK's files and the beacons go over one connection of "h2", by the browser's
// own word, and the collector has the view. Usage: node tests/e2e/http2_page.mjs [vitrace] [folder of the SDK's files]
// Closes with "N passed, N failed". Needs openssl, Chromium and npm ci in demo-site; without a browser it says so.
import { execFileSync } from "node:child_process";
import { X509Certificate, createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Collector } from "../pages/collector.mjs";

const [binary = "build/release/vitrace", sdk = "js-glue/dist"] = process.argv.slice(2);
const NAMES = ["chromium", "chromium-browser", "google-chrome"];
const chromium = process.env.CHROMIUM ?? NAMES.flatMap((name) => process.env.PATH.split(delimiter).map((folder) => join(folder, name))).find(existsSync);
if (!chromium) {
  console.log("no Chromium in PATH (set CHROMIUM): skipped\n0 passed, 0 failed");
  process.exit(0);
}
const puppeteer = createRequire(join(process.cwd(), "demo-site/package.json"))("puppeteer-core");
const work = mkdtempSync(join(tmpdir(), "vitrace-http2."));
let passed = 0;
let failed = 0;
function check(sentence, good, detail = "") {
  good ? passed++ : failed++;
  console.log(`${good ? "ok  " : "FAIL"} ${sentence}${good ? "" : `: ${detail}`}`);
}

execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
  "-addext", "subjectAltName=DNS:localhost", "-days", "2", "-keyout", join(work, "key.pem"), "-out", join(work, "certificate.pem")], { stdio: "ignore" });
const publicKey = new X509Certificate(readFileSync(join(work, "certificate.pem"))).publicKey.export({ type: "spki", format: "der" });
const collector = await Collector.start(binary, sdk, ["--tls-certificate", join(work, "certificate.pem"), "--tls-key", join(work, "key.pem")]);
const rum = collector.beacons.replace("127.0.0.1", "localhost");
const html = `<!doctype html><title>h2</title><h1>A page</h1><script async crossorigin src="${rum}/v1/vitrace.js" data-app="shop"></script>`;
const site = createServer((_, response) => response.setHeader("Content-Type", "text/html").end(html)).listen(0, "127.0.0.1");
await once(site, "listening");

// Only this key is trusted, whoever signed it: all else about the certificate is judged as usual.
const browser = await puppeteer.launch({ executablePath: chromium, headless: true, userDataDir: join(work, "profile"),
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    `--ignore-certificate-errors-spki-list=${createHash("sha256").update(publicKey).digest("base64")}`] });
const page = await browser.newPage();
const errors = [];
page.on("pageerror", (error) => errors.push(String(error)));
const protocols = new Map(); // by URL, of whatever thread asked
async function listen(session) {
  session.on("Network.responseReceived", ({ response }) => protocols.set(new URL(response.url).pathname, response.protocol));
  await session.send("Network.enable");
}
await listen(await page.createCDPSession());
page.on("workercreated", (worker) => listen(worker.client).catch(() => {}));
await page.goto(`http://127.0.0.1:${site.address().port}/`);
const loaded = await page.waitForFunction(() => performance.getEntriesByType("resource").find(({ name }) => name.endsWith("/v1/vitrace.js"))?.nextHopProtocol, { timeout: 20_000 });
check("the SDK comes over h2", (await loaded.jsonValue()) === "h2", await loaded.jsonValue());
await page.waitForFunction(() => globalThis.vitrace?.stats?.().state === "running", { timeout: 20_000 });
const metric = async (name) => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(await (await fetch(`${collector.admin}/metrics`)).text())?.[1]);
await page.evaluate(() => vitrace.flush());
await collector.until(20, async () => protocols.get("/v1/beacon"), Boolean);
await page.goto("about:blank"); // the page is left: the rest is sent
const views = await collector.until(20, () => collector.views("shop"), (found) => found.length > 0);
check("the collector has the page's view", views.length === 1, JSON.stringify(views));
const acked = await collector.until(5, () => metric("vitrace_beacons_acked_total"), (count) => count > 0);
check("its beacon was answered 204", acked > 0, `${acked}`);
check("the collector counts the connection as HTTP/2", (await metric("vitrace_http2_connections")) >= 1, "none is open");
check("the page has seen no error", errors.length === 0, errors.join("; "));
const others = [...protocols].filter(([path, protocol]) => path.startsWith("/v1/") && protocol !== "h2");
check("whatever was asked of it was asked over h2, beacons too", others.length === 0 && protocols.get("/v1/beacon") === "h2", JSON.stringify([...protocols]));
console.log(`     ${[...protocols].map(([path, protocol]) => `${path} ${protocol}`).join(", ")}`);
await browser.close();
site.close();
await collector.stop();
rmSync(work, { recursive: true, force: true, maxRetries: 5 });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
