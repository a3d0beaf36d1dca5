/**
 * Starts the worker from the first source that the page's policy allows, best first: a script of the page's own origin
 * needs nothing; the collector's script must come as a blob, which a strict CSP refuses.
 */
import type { UseScript } from "../lib/trusted";
import type { Host } from "../worker/transport";
import { answerOf } from "./answer";

export interface WorkerSource {
  readonly workerUrl: string | undefined;
  /** Beside the SDK script or at the collector; may be of another origin. */
  readonly sdkWorker: string;
}

export async function startWorker(
  { fetch }: Pick<Host, "fetch">,
  useScript: UseScript,
  { workerUrl, sdkWorker }: WorkerSource,
): Promise<Worker | undefined> {
  let url = workerUrl ?? sdkWorker;
  let blob = "";
  try {
    if (!workerUrl && new URL(url).origin !== location.origin) {
      const response = await fetch(url, { credentials: "same-origin", priority: "low" } as RequestInit);
      if (!response.ok) return undefined;
      url = blob = URL.createObjectURL(new Blob([await response.arrayBuffer()], { type: "text/javascript" }));
    }
    const worker = useScript(url, (allowed) => new Worker(allowed, { name: "vitrace" }));
    // Browsers tell of a refusal by throwing, by an error event, or not at all: only its first word counts.
    if ((await answerOf(worker))?.type === "hello") return worker;
    worker.terminate();
  } catch {
    // Refused by the browser or by the page's policy.
  } finally {
    URL.revokeObjectURL(blob);
  }
  return undefined;
}
