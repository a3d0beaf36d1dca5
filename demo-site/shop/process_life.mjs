// How a service starts listening and how it ends: SIGTERM or SIGINT closes the listeners, runs `release`, and flushes the
// spans that are still in the batch.
import { stopTelemetry } from "./telemetry.mjs";

export function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server.address().port));
  });
}

export function endOnSignal(servers, release = () => {}) {
  let ending = false;
  const end = async () => {
    if (ending) return;
    ending = true;
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    release();
    await stopTelemetry();
    process.exit(0);
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
}
