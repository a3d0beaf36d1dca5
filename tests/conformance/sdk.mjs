/**
 * The whole SDK as a subject: the package's own sources with their observers, bridge and exit path, in the page of the
 * scenario, with the real module. What it has said is read from the beacons that the page sent.
 *
 * It loads its core after the load event and begins in an idle moment, or on the spot when the page is hidden before that
 * but has the bytes. A page that is hidden earlier still has nothing to tell: null.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import vm from "node:vm";
import { top } from "../js/support/bundle.mjs";
import { compiled, Reports } from "./module.mjs";
import { unpacked } from "../js/support/unpacked.mjs";

const glue = join(top, "js-glue");
const { buildSync } = createRequire(join(glue, "package.json"))("esbuild");
const { outputFiles } = buildSync({
  stdin: { contents: `export * from "./src/index";`, resolveDir: glue, loader: "ts" },
  bundle: true, format: "iife", globalName: "sdk", target: "es2022", write: false, define: { VITRACE_VERSION: '"0.0.0-test"' },
});
const library = new vm.Script(outputFiles[0].text + ";sdk");
// Promises of the SDK hop a few times between fetching its core and its first record.
const TURNS = 12;

export default class SdkSubject {
  _isLoading = false;
  _reports = new Reports();

  begin(page) {
    Object.assign(page.global, {
      // Compiled once for all pages; everything else of the module is the page's own.
      WebAssembly: { Memory: WebAssembly.Memory, RuntimeError: WebAssembly.RuntimeError, Instance: WebAssembly.Instance, Module: class { constructor() { return compiled; } }, instantiate: async (_bytes, imports) => ({ instance: new WebAssembly.Instance(compiled, imports) }) },
      // Routes never change, and whether a click was answered is not asked.
      navigation: { addEventListener() {}, removeEventListener() {} },
      MutationObserver: class { observe() {} disconnect() {} takeRecords() { return []; } },
      URL, TextEncoder, AbortController, crypto, console, innerWidth: 1280, innerHeight: 720, devicePixelRatio: 1, crossOriginIsolated: false,
      location: { href: "http://site.test/p/1", origin: "http://site.test" },
      navigator: { language: "en", sendBeacon: (_url, body) => this._receive(unpacked(body)) },
      fetch: async (_url, init) => (init?.method === "POST" ? this._answer(unpacked(init.body)) : this._serve()),
    });
    Object.assign(page.global.document, { baseURI: "http://site.test/p/1", referrer: "", querySelector: () => null });
    this._sdk = page.run(library);
    this._sdk.init({ app: "conformance", transport: "main" });
  }

  async after() {
    for (let turn = 0; this._isLoading && turn < TURNS; turn++) await new Promise(setImmediate);
    const { swallowed, reason, state } = this._sdk.stats();
    this._isLoading &&= state === "waiting";
    if (swallowed > 0 || state === "disabled") throw new Error(`the SDK failed: ${reason || "it swallowed an error"}`);
  }

  vitals() {
    return this._sdk.stats().state === "waiting" ? null : this._reports.ofLastView();
  }

  ended() {
    return this._reports.ofEndedViews();
  }

  _serve() {
    this._isLoading = true;
    return { ok: true, arrayBuffer: async () => new ArrayBuffer(0) };
  }

  _answer(body) {
    this._receive(body);
    return { ok: true, status: 204, headers: { get: () => null } };
  }

  _receive(body) {
    this._reports.take(new Uint8Array(body));
    return true;
  }
}
