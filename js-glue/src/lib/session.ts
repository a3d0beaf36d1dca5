/**
 * A session without a cookie: an id in sessionStorage, so it lives with the tab, for at most 4 hours and 30 idle
 * minutes. With Global Privacy Control, or where storage is refused, every document is its own session.
 */
import { isPrivate } from "./left_early";
import { hexOf, idOf, randomId, type Id128 } from "./random";

const KEY = "vitrace.session";
const IDLE_MS_MAX = 30 * 60_000;
const AGE_MS_MAX = 4 * 3_600_000;
const STORED = /^([0-9a-f]{32}) (\d{1,15}) (\d{1,15})$/;

export function sessionId(nowMs: number): Id128 {
  const fresh = randomId();
  if (isPrivate()) return fresh;
  try {
    const [, id, born, seen] = STORED.exec(sessionStorage.getItem(KEY) ?? "") ?? [];
    const alive = id !== undefined && nowMs - +seen < IDLE_MS_MAX && nowMs - +born < AGE_MS_MAX;
    const kept = alive ? idOf(id) : fresh;
    sessionStorage.setItem(KEY, `${hexOf(kept)} ${alive ? born : nowMs} ${nowMs}`);
    return kept;
  } catch {
    return fresh;
  }
}
