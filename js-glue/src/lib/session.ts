/**
 * A session without a cookie: an id in sessionStorage, so it lives with the tab, for at most 4 hours and 30 idle
 * minutes. With Global Privacy Control, or where storage is refused, every document is its own session.
 */
import { isPrivate } from "./left_early";
import { randomId, type Id128 } from "./random";

const KEY = "vitrace.session";
const IDLE_MS_MAX = 30 * 60_000;
const AGE_MS_MAX = 4 * 3_600_000;

export function sessionId(nowMs: number): Id128 {
  let id = randomId();
  if (isPrivate()) return id;
  try {
    let born = nowMs;
    const [kept, keptBorn, seen] = (JSON.parse(sessionStorage.getItem(KEY) ?? "[]") as [Id128?, number?, number?]) ?? [];
    if (kept?.length === 4 && nowMs - seen! < IDLE_MS_MAX && nowMs - keptBorn! < AGE_MS_MAX) {
      id = kept;
      born = keptBorn!;
    }
    sessionStorage.setItem(KEY, JSON.stringify([id, born, nowMs]));
  } catch {
    // No storage, or not what we wrote: this document is its own session.
  }
  return id;
}
