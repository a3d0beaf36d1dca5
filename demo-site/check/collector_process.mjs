// The collector as a child process that the check may kill. It only ever signals the process that it started itself.
import { spawn } from "node:child_process";

export class CollectorProcess {
  #command;
  #api;
  #child;

  // `command` is the whole command line, `api` the admin listener's address.
  constructor(command, api) {
    this.#command = command;
    this.#api = api;
  }

  async start() {
    const [program, ...rest] = this.#command;
    this.#child = spawn(program, rest, { stdio: ["ignore", "ignore", "inherit"] });
    const failed = new Promise((_, reject) => {
      this.#child.once("error", reject);
      this.#child.once("exit", (code, signal) => reject(new Error(`collector ended (${code ?? signal})`)));
    });
    failed.catch(() => {}); // it will end one day, and by then nobody waits for this
    await Promise.race([failed, this.#ready()]);
    return this.#child.pid;
  }

  // SIGKILL: nothing of the process runs any more, no handler, no flush.
  kill() {
    return this.#end("SIGKILL");
  }

  stop() {
    return this.#end("SIGTERM");
  }

  async #end(signal) {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }

  async #ready() {
    for (let attempt = 0; attempt < 100; attempt++) {
      const answer = await fetch(`${this.#api}/readyz`).catch(() => undefined);
      if (answer?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error("collector is not ready after 10 s");
  }
}
