/**
 * Starts the worker from the first source that the page's policy allows, best first: a script of the page's own origin
 * needs nothing; the collector's script must come as a blob, which a strict CSP refuses.
 */
import type { ToPage } from "../worker/protocol";
import type { Host } from "../worker/transport";

const HELLO_MS_MAX = 5000;
/** Named in the README: a page that requires Trusted Types must allow this policy. */
const POLICY = "vitrace";

export interface WorkerSource {
  readonly workerUrl: string | undefined;
  /** vitrace-worker.js beside the SDK script or at the collector; may be of another origin. */
  readonly sdkUrl: string;
}

export async function startWorker({ fetch }: Pick<Host, "fetch">, { workerUrl, sdkUrl }: WorkerSource): Promise<Worker | undefined> {
  if (typeof Worker !== "function") return undefined;
  if (workerUrl) return begin(workerUrl);
  if (new URL(sdkUrl, document.baseURI).origin === location.origin) return begin(sdkUrl);
  const source = await fetchSource(fetch, sdkUrl);
  if (source === undefined) return undefined;
  const blob = URL.createObjectURL(source);
  try {
    return await begin(blob);
  } finally {
    URL.revokeObjectURL(blob);
  }
}

async function fetchSource(fetch: Host["fetch"], url: string): Promise<Blob | undefined> {
  try {
    const response = await fetch(url, { credentials: "omit", mode: "cors", priority: "low" } as RequestInit);
    return response.ok ? new Blob([await response.arrayBuffer()], { type: "text/javascript" }) : undefined;
  } catch {
    return undefined;
  }
}

/** Resolves with a worker that has said hello; browsers tell of a refusal by throwing, by an error event, or not at all. */
function begin(url: string): Promise<Worker | undefined> {
  return new Promise((resolve) => {
    let worker: Worker;
    try {
      worker = construct(url);
    } catch {
      return resolve(undefined);
    }
    const finish = (started: Worker | undefined) => {
      clearTimeout(timer);
      worker.onerror = worker.onmessage = null;
      if (!started) worker.terminate();
      resolve(started);
    };
    const timer = setTimeout(() => finish(undefined), HELLO_MS_MAX);
    worker.onerror = (event) => {
      event.preventDefault();
      finish(undefined);
    };
    worker.onmessage = ({ data }: MessageEvent<ToPage>) => finish(data.type === "hello" ? worker : undefined);
  });
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

function construct(url: string): Worker {
  try {
    return new Worker(url, { name: "vitrace" });
  } catch (error) {
    const trusted = (window as unknown as { trustedTypes?: TrustedTypes }).trustedTypes;
    if (!(error instanceof TypeError) || !trusted) throw error;
    const policy = trusted.createPolicy(POLICY, { createScriptURL: (text) => text });
    return new Worker(policy.createScriptURL(url), { name: "vitrace" });
  }
}
