/**
 * A session without a cookie: an id in the storage of the tab or of the origin, for at most 4 hours and 30 minutes without
 * a new view or a return to the page. It is looked up when a document starts, renewed with a new view when it has expired,
 * and a view stays in the session that it began in. With Global Privacy Control, with "none", or where storage is refused,
 * every document is its own session.
 */
import type { Options } from "../types";
import { isPrivate } from "./left_early";
import { randomId, type Id128 } from "./random";

const KEY = "vitrace.session";
const IDLE_MS_MAX = 30 * 60_000;
const AGE_MS_MAX = 4 * 3_600_000;

/** Returns how to look it up, which also says that somebody is there. The same id is the same array. */
export function sessionOf(where: Options["session"]): (nowMs: number) => Id128 {
  let id = randomId();
  return (nowMs) => {
    if (where === "none" || isPrivate()) return id;
    try {
      const store = where === "origin" ? localStorage : sessionStorage;
      const [kept, born, seen] = (JSON.parse(store.getItem(KEY) ?? "[]") as [Id128?, number?, number?]) ?? [];
      const isLive = kept?.length === 4 && nowMs - seen! < IDLE_MS_MAX && nowMs - born! < AGE_MS_MAX;
      const next = isLive ? kept : seen ? randomId() : id;
      if (String(next) !== String(id)) id = next;
      store.setItem(KEY, JSON.stringify([id, isLive ? born : nowMs, nowMs]));
    } catch {
      // No storage, or not what we wrote: this document is its own session.
    }
    return id;
  };
}
