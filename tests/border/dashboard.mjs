// The dashboard in Chromium: what strangers sent is text in it; it asks for a token, takes a signed one, and asks again when that one has
// expired; the page of refusals. Nothing that is typed or shown leaves for another host, and the console stays empty.
//
//   node tests/border/dashboard.mjs path/to/vitrace        (puppeteer-core of tests/conformance: npm ci there)
import { generateKeyPairSync, sign } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { beaconFor } from "../e2e/beacon_sample.mjs";
import { Daemon, Tally, talk } from "./daemon.mjs";

const chromium = process.env.CHROMIUM ?? (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "chromium")).find(existsSync);
const puppeteer = createRequire(new URL("../conformance/package.json", import.meta.url))("puppeteer-core");
const FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const tally = new Tally();

const folder = mkdtempSync(join(tmpdir(), "vitrace-dashboard."));
const provider = generateKeyPairSync("ed25519");
writeFileSync(join(folder, "jwt.pem"), provider.publicKey.export({ type: "spki", format: "pem" }));
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
function jwt(seconds) { // of life, beyond the 60 s that clocks may differ
  const text = `${part({ alg: "EdDSA" })}.${part({ aud: "vitrace", exp: Math.floor(Date.now() / 1000) - 60 + seconds })}`;
  return `${text}.${sign(null, Buffer.from(text), provider.privateKey).toString("base64url")}`;
}

const markup = "<img src=x onerror=alert(1)>";
const daemon = await Daemon.start(process.argv[2], `admin_jwt:\n  algorithm: EdDSA\n  key_file: ${join(folder, "jwt.pem")}\n  audience: vitrace\napps:\n  - name: shop\n`);
await fetch(`${daemon.listen}/v1/beacon`, { method: "POST", body: beaconFor("shop", { route: markup }) });
await fetch(`${daemon.listen}/v1/beacon`, { method: "POST", body: beaconFor("nosuchapp", { route: markup }) });
await talk(daemon.port("listen"), `GET /${markup.replaceAll(" ", "+")}/plain HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);

const browser = await puppeteer.launch({ executablePath: chromium, ignoreDefaultArgs: true, args: [...FLAGS, "--remote-debugging-port=0", `--user-data-dir=${join(folder, "profile")}`, "about:blank"] });
const page = await browser.newPage();
const said = [], asked = new Set();
page.on("dialog", (dialog) => { said.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
page.on("pageerror", (error) => said.push(`error: ${error.message}`));
page.on("console", (message) => { if (!message.text().includes("401")) said.push(`console: ${message.text()}`); }); // Chromium tells of each 401 by itself
page.on("request", (request) => asked.add(new URL(request.url()).host));
const shows = (text) => page.waitForFunction((wanted) => document.getElementById("main").innerText.includes(wanted), { timeout: 15_000 }, text).then(() => true, () => false);
const asksToken = () => page.waitForSelector("#token", { timeout: 15_000 }).then(() => true, () => false);
async function type(token) {
  await page.$eval("#token", (field, value) => { field.value = value; }, token);
  await page.click("form button");
}

await tally.section("a token", async () => {
  await page.goto(`${daemon.admin}/#/views`, { waitUntil: "load" });
  tally.check("it asks for one", await asksToken());
  await type("wrong");
  await page.waitForFunction(() => document.getElementById("token")?.value === "", { timeout: 15_000 }).catch(() => {});
  tally.check("and again when it was wrong", await asksToken());
  await type(jwt(4)); // lives for four seconds from here
  tally.check("a signed one opens it", await shows("<img src=x"), await page.$eval("#main", (node) => node.innerText));
  tally.check("it is kept for this tab, not as a cookie", (await page.cookies()).length === 0 && (await page.evaluate(() => Object.keys(localStorage).length)) === 0);
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  await page.click('nav a[data-page="rejects"]');
  tally.check("when it has expired the next page asks again", await asksToken());
  await type(jwt(600));
  tally.check("and goes on where it was", await shows("Requests refused last"));
});

await tally.section("refusals", async () => {
  const rows = await page.$$eval("tbody tr", (list) => list.map((row) => [...row.children].map((cell) => cell.innerText)));
  const of = (reason) => rows.find((cells) => cells[1] === reason);
  tally.check("each has its nine columns", rows.length >= 3 && rows.every((cells) => cells.length === 9), JSON.stringify(rows));
  tally.check("an unknown app is named, with what to do", of("unknown_app")?.[4] === "nosuchapp" && of("unknown_app")[8].includes("not configured here"), JSON.stringify(rows));
  tally.check("a strange path is redacted", of("not_found")?.[3] === "GET /(redacted)/plain", JSON.stringify(rows));
  tally.check("the expired token is among them, for the operator alone", of("jwt_expired")?.[8].includes("expired"), JSON.stringify(rows));
});

await tally.section("nothing of it is more than text", async () => {
  await page.click('nav a[data-page="views"]');
  tally.check("markup of a page's route is shown as it came", await shows(markup));
  tally.check("no element came of it", (await page.$$('img[src="x"]')).length === 0);
  tally.check("nothing was asked of another host", [...asked].filter((host) => host !== new URL(daemon.admin).host).length === 0, [...asked].join(" "));
  tally.check("no dialog, no error, and the console is empty", said.length === 0, said.join("; "));
});
await browser.close();
const ended = await daemon.stop();
tally.check("the daemon ends cleanly", ended === "", ended);
rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
tally.close();
