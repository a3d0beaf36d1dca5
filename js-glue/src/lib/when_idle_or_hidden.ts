/** Runs once: at once when the page is hidden, else when idle or when it becomes hidden, whichever comes first. */
import { whenIdle } from "./when_idle";

// A busy page may never be idle, and interactions must be evaluated while their frame is still remembered.
const IDLE_TIMEOUT_MS = 1000;

export function whenIdleOrHidden(run: () => void): void {
  if (document.visibilityState === "hidden") return run();
  let done = false;
  const once = () => {
    if (done) return;
    done = true;
    removeEventListener("visibilitychange", once, true);
    run();
  };
  // On window in the capture phase, to run before listeners on document that send the final beacon.
  addEventListener("visibilitychange", once, true);
  whenIdle(once, IDLE_TIMEOUT_MS);
}
