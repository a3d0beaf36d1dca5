// The three engines behind one small interface:
//   engine.open(url) -> tab     tab.run(code), tab.runSoon(code), tab.goto(url), tab.reload(), tab.back(), tab.hide(), tab.close()
// Chromium by CDP, Firefox by WebDriver BiDi, WebKitGTK by classic WebDriver under Xvfb. `code` is an expression, evaluated
// in the page; `runSoon` does not wait for what it does to the page.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const puppeteer = createRequire(new URL("../../demo-site/package.json", import.meta.url))("puppeteer-core");
const CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const VIEWPORT = { width: 1280, height: 900 };
const STEP_MS_MAX = 20_000;

function findProgram(names, environment) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return process.env[environment] ?? names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
}

/** Debian keeps it in LIB/ARCHITECTURE/webkit2gtk-VERSION/. */
function findMiniBrowser() {
  const inside = (folder, like) => readdirSync(folder).filter((name) => like.test(name)).map((name) => join(folder, name));
  return inside("/usr/lib", /-linux-gnu/).flatMap((folder) => inside(folder, /^webkit/))
    .map((folder) => join(folder, "MiniBrowser")).find((path) => existsSync(path));
}

class PuppeteerTab {
  constructor(page) {
    this.page = page;
  }
  run(code) {
    return this.page.evaluate(code);
  }
  runSoon(code) {
    return this.page.evaluate(`void setTimeout(() => { ${code} })`);
  }
  goto(url) {
    return this.page.goto(url, { waitUntil: "load" });
  }
  reload() {
    return this.page.reload({ waitUntil: "load" });
  }
  back() {
    return this.page.evaluate("void setTimeout(() => history.back())");
  }
  click(selector) {
    return this.page.click(selector);
  }
  // Another tab in front of it.
  async hide() {
    const other = await this.page.browser().newPage();
    await other.bringToFront();
    await this.page.waitForFunction("document.visibilityState === 'hidden'", { polling: 50, timeout: 3000 }).catch(() => {});
    this.other = other;
  }
  async close() {
    await this.other?.close();
    await this.page.close();
  }
}

async function puppeteerEngine(name, options) {
  const profile = mkdtempSync(join(tmpdir(), "vitrace-engine."));
  const browser = await puppeteer.launch({ ...options, headless: true, userDataDir: profile, protocolTimeout: STEP_MS_MAX });
  return {
    name,
    version: await browser.version(),
    browser,
    async open(url) {
      const page = await browser.newPage();
      await page.setViewport(VIEWPORT).catch(() => {});
      const tab = new PuppeteerTab(page);
      if (url) await tab.goto(url);
      return tab;
    },
    async end() {
      await browser.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

class WebDriver {
  constructor(base) {
    this.base = base;
  }
  async call(method, path, body) {
    const response = await fetch(this.base + path, { method, signal: AbortSignal.timeout(STEP_MS_MAX),
      ...(body ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {}) });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${value?.error} ${value?.message ?? ""}`);
    return value;
  }
}

/** One session, one window a tab; the driver talks to the one that was switched to. */
class WebDriverTab {
  constructor(driver, handle) {
    Object.assign(this, { driver, handle });
  }
  async do(method, path, body) {
    await this.driver.call("POST", "/window", { handle: this.handle });
    return this.driver.call(method, path, body);
  }
  run(code) {
    return this.do("POST", "/execute/async", { script: `const done = arguments[0]; Promise.resolve(eval(${JSON.stringify(code)})).then(done, (error) => done(String(error)))`, args: [] });
  }
  runSoon(code) {
    return this.do("POST", "/execute/sync", { script: `setTimeout(() => { ${code} })`, args: [] });
  }
  goto(url) {
    return this.do("POST", "/url", { url });
  }
  reload() {
    return this.do("POST", "/refresh", {});
  }
  back() {
    return this.do("POST", "/execute/sync", { script: "setTimeout(() => history.back())", args: [] });
  }
  async click(selector) {
    const element = await this.do("POST", "/element", { using: "css selector", value: selector });
    return this.driver.call("POST", `/element/${Object.values(element)[0]}/click`, {});
  }
  async hide() {
    await this.do("POST", "/window/minimize", {});
    for (let i = 0; i < 20 && (await this.run("document.visibilityState")) !== "hidden"; i++) await pause(50);
  }
  close() {
    return this.do("DELETE", "/window");
  }
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}

/** A display that nobody sees; the server itself picks a free number. */
async function startXvfb(program) {
  const server = spawn(program, ["-displayfd", "3", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"], { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  const [number] = await once(server.stdio[3], "data");
  return { server, display: ":" + String(number).trim() };
}

async function webkitEngine(program, miniBrowser, xvfb) {
  const { server, display } = await startXvfb(xvfb);
  const port = await freePort();
  const profile = mkdtempSync(join(tmpdir(), "vitrace-engine."));
  const home = { HOME: profile, XDG_DATA_HOME: profile, XDG_CACHE_HOME: profile, XDG_CONFIG_HOME: profile };
  const env = { ...process.env, ...home, DISPLAY: display, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1", LIBGL_ALWAYS_SOFTWARE: "1" };
  const process_ = spawn(program, [`--port=${port}`], { stdio: "ignore", env });
  const end = async () => {
    process_.kill();
    server.kill();
    await Promise.all([process_, server].map((child) => child.exitCode ?? child.signalCode ?? once(child, "exit")));
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  const driver = new WebDriver(`http://127.0.0.1:${port}`);
  const options = { binary: miniBrowser, args: ["--automation"] };
  const ask = () => driver.call("POST", "/session", { capabilities: { alwaysMatch: { "webkitgtk:browserOptions": options } } });
  let session;
  for (let attempt = 0; !session; attempt++) {
    session = await ask().catch(async (error) => {
      if (attempt < 20) return void (await pause(300));
      await end();
      throw error;
    });
  }
  const inSession = new WebDriver(`${driver.base}/session/${session.sessionId}`);
  // The first window stays: the session ends with its last one, and a closed one can open none.
  const first = await inSession.call("GET", "/window");
  return {
    name: "webkit",
    version: `${session.capabilities.browserName}/${session.capabilities.browserVersion}`,
    async open(url) {
      await inSession.call("POST", "/window", { handle: first });
      const { handle } = await inSession.call("POST", "/window/new", { type: "window" });
      const tab = new WebDriverTab(inSession, handle);
      if (url) await tab.goto(url);
      return tab;
    },
    async end() {
      await inSession.call("DELETE", "").catch(() => {});
      await end();
    },
  };
}

/** Name of the engine -> how to start it, or why it cannot be. */
export const ENGINES = {
  chromium() {
    const executablePath = findProgram(["chromium", "chromium-browser", "google-chrome"], "CHROMIUM");
    return executablePath ? () => puppeteerEngine("chromium", { executablePath, args: CHROMIUM_FLAGS }) : "no Chromium in PATH";
  },
  firefox() {
    const executablePath = findProgram(["firefox-esr", "firefox"], "FIREFOX");
    return executablePath ? () => puppeteerEngine("firefox", { executablePath, browser: "firefox" }) : "no Firefox in PATH";
  },
  webkit() {
    const driver = findProgram(["WebKitWebDriver"], "WEBKIT_DRIVER"), xvfb = findProgram(["Xvfb"], "XVFB");
    const miniBrowser = process.env.WEBKIT_BROWSER ?? findMiniBrowser();
    if (!driver || !xvfb || !miniBrowser) return "no WebKitWebDriver, MiniBrowser or Xvfb";
    return () => webkitEngine(driver, miniBrowser, xvfb);
  },
};
