/** Every source of entries, subscribed at once: the browser's buffers only hold so much. */
import type { IdleMark } from "../lib/idle_mark";
import type { Origins } from "../lib/origins";
import { observeEvent } from "./event";
import { observeFetch } from "./fetch";
import { observeLargestPaint } from "./largest_paint";
import { observeLayoutShift } from "./layout_shift";
import { observeLongFrame } from "./long_frame";
import { observeLongTask } from "./long_task";
import { observePage } from "./page";
import { observePaint } from "./paint";
import { observeResource } from "./resource";
import type { Context, Source } from "./source";
import { observeUserTiming } from "./user_timing";
import { observeVisibility } from "./visibility";
import { observeXhr } from "./xhr";

export interface Wiring {
  readonly idle: IdleMark;
  readonly isOwn: (url: string) => boolean;
  /** undefined: no call is wrapped. */
  readonly origins: Origins | undefined;
  readonly restored: (time: number) => void;
}

export function observeAll(context: Context, wiring: Wiring): Source[] {
  const { idle, origins } = wiring;
  const begin: (() => Source | undefined)[] = [
    () => observeResource(context, wiring.isOwn),
    () => observePaint(context),
    () => observeLargestPaint(context),
    () => observeLayoutShift(context),
    () => observeEvent(context, idle),
    () => observeLongTask(context),
    () => observeLongFrame(context),
    () => observeUserTiming(context),
    () => observeVisibility(context),
    () => observePage(context, idle, wiring.restored),
    () => origins && observeFetch(context, origins),
    () => origins && observeXhr(context, origins),
  ];
  const sources: Source[] = [];
  // Each on its own: a browser that refuses one type still has the others.
  for (const one of begin) {
    context.guard.run(() => {
      const source = one();
      if (source) sources.push(source);
    });
  }
  return sources;
}
