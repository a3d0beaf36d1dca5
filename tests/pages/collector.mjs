// The real collector for tests that need real pages: on free ports, with a folder of its own, gone afterwards.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const READY_MS_MAX = 20_000;
const API_MS_MAX = 20_000;
const VIEWS_MAX = 500;

export class Collector {
  // `binary`: of the daemon; `sdk`: the folder of the SDK's files; `flags`: more of them.
  static async start(binary, sdk = "js-glue/dist", flags = []) {
    const self = new Collector();
    self.folder = mkdtempSync(join(tmpdir(), "vitrace-pages."));
    const listeners = ["--listen", "--admin", "--otlp-http", "--otlp-grpc"].flatMap((name) => [name, "127.0.0.1:0"]);
    self.process = spawn(binary, ["serve", "--data", join(self.folder, "data"), "--sdk", sdk, ...listeners, ...flags], { stdio: ["ignore", "ignore", "pipe"] });
    self.said = "";
    self.process.stderr.on("data", (text) => (self.said = (self.said + text).slice(-4000)));
    self.ended = once(self.process, "exit");
    const file = join(self.folder, "data", "addresses.json");
    for (let waited = 0; waited < READY_MS_MAX && !existsSync(file); waited += 100) await pause(100);
    if (!existsSync(file)) throw new Error(`the collector did not start: ${self.said}`);
    const { admin, listen, beacons = listen } = JSON.parse(readFileSync(file, "utf8"));
    return Object.assign(self, { admin, beacons });
  }

  async get(path) {
    const response = await fetch(this.admin + path, { signal: AbortSignal.timeout(API_MS_MAX) });
    if (!response.ok) throw new Error(`GET ${path}: ${response.status}`);
    return response.json();
  }

  // Newest first; at most VIEWS_MAX, so whoever has more uses several apps.
  async views(app) {
    return (await this.get(`/api/v1/views?app=${app}&limit=${VIEWS_MAX}`)).views;
  }

  view(id) {
    return this.get(`/api/v1/views/${id}`);
  }

  // Looks again until `isDone` says yes of what `look` found, or the time is over; the last find counts either way.
  async until(seconds, look, isDone) {
    for (const end = performance.now() + seconds * 1000; ;) {
      const found = await look();
      if (isDone(found) || performance.now() > end) return found;
      await pause(300);
    }
  }

  async stop() {
    this.process.kill("SIGTERM");
    await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
