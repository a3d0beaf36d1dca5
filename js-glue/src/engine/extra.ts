/** vitrace-extra.js, when a person presses something, or the page is isolated. */
import { listen } from "../lib/listen";
import type { Watch } from "../watch";
import { part } from "./part";
import type { Second } from "./second";

declare const VITRACE_EXTRA_SRI: string;

/** Of those before the file comes; more of them are one burst. */
const CLICKS_MAX = 20;

export type Extra = (watch: Watch, clicks: readonly MouseEvent[]) => void;

export function observeExtra({ _watch: watch }: Second, extra?: Extra): void {
  const { context, guard } = watch;
  const clicks: MouseEvent[] = [];
  if (extra) return extra(watch, clicks);
  const start = guard.wrap((got: Extra) => {
    offs.forEach((off) => off());
    if (!watch.isStopped) got(watch, clicks);
  });
  const load = () => void (isAsked ||= part<Extra>(watch, "extra", VITRACE_EXTRA_SRI).then(start, () => {}));
  let isAsked: Promise<void> | undefined;
  // A click with the keyboard has no pointer. 
  const offs = [
    listen(context, window, "pointerdown", load),
    listen<MouseEvent>(context, window, "click", (click) => {
      load();
      if (clicks.length < CLICKS_MAX) clicks.push(click);
    }),
  ];
  if (crossOriginIsolated) load();
}
