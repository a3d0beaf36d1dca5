/**
 * Dead clicks: a person clicks on something that looks as if it did something, and nothing answers.
 *
 *   click ── 1.5 s ──────────────────────────────► quiet ── 3.5 s ─────────────────────► told
 *       any reaction: it was not dead                  a request that began in the 1.5 s has ended: it was not dead
 *
 * A request in flight cannot be seen before it ends, hence the second wait; the next click elsewhere and a page that is
 * hidden cut it short. Nothing is watched but in those times after a click, the page's changes only until the first; the
 * listeners stay for the 1.5 s also when the answer comes sooner, because people click again.
 * What answers without anything that can be observed, as a menu of the browser or a canvas, is never suspected.
 */
import { ClickPatternType, InboxKind } from "../abi";
import type { ClickFact } from "../lib/entries";
import { isHidden } from "../lib/hidden";
import { listen } from "../lib/listen";
import { selectorOf } from "../lib/selector";
import type { Context } from "./source";

const ANSWER_MS = 1500;
const LATE_MS = 3500;
const REACTIONS = ["scroll", "focus", "blur", "input", "change", "toggle", "selectionchange"];
const RESOURCES = { type: "resource" };
const CHANGES = { subtree: true, childList: true, attributes: true, characterData: true };

/** What answers in a way of its own. */
const NATIVE = "canvas,video,audio,iframe,object,embed,label,select,textarea,input:not([type=button],[type=submit])";
/** What the browser follows or submits, unless the page prevents it. */
const FOLLOWED = "a[href],[type=submit],form button:not([type])";
/** What looks as if it did something also when the cursor does not say so. */
const ACTIVE = "a,button,input,[role=button],[role=link],[role=tab],[role^=menuitem]";

interface Suspect {
  readonly target: Element;
  readonly start: number;
  count: number;
  href: string;
  event: Event;
}

function isSuspicious({ target, event, href }: Suspect): boolean {
  return (
    href === location.href &&
    !target.closest(NATIVE) &&
    (event.defaultPrevented || !target.closest(FOLLOWED)) &&
    // By now nothing has changed for a while, so a style is at hand.
    (!!target.closest(ACTIVE) || getComputedStyle(target).cursor === "pointer")
  );
}

export function observeDeadClicks(context: Context, isOwn: (url: string) => boolean): void {
  const { guard, sink } = context;
  const { navigation } = window as { navigation?: EventTarget };
  let suspect: Suspect | undefined;
  let isQuiet = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let listening: AbortController | undefined;
  const acquit = () => {
    mutations.disconnect();
    resources.disconnect();
    suspect = undefined;
  };
  const unlisten = () => {
    clearTimeout(timer);
    listening?.abort();
    listening = undefined;
  };
  const listenOn = () => {
    if (listening) return;
    listening = new AbortController();
    const options = { capture: true, passive: true, signal: listening.signal };
    for (const type of REACTIONS) addEventListener(type, react, options);
    navigation?.addEventListener("navigate", react, options);
  };
  // A caret that was set is no answer, a selection is.
  const react = guard.wrap(({ type }: Event) => {
    if (suspect && (type !== "selectionchange" || getSelection()?.type === "Range")) acquit();
  });
  const mutations = new MutationObserver(guard.wrap(acquit));
  const resources = new PerformanceObserver(
    guard.wrap((list: PerformanceObserverEntryList) => {
      const isAnswer = ({ name, startTime }: PerformanceEntry) => {
        const after = startTime - suspect!.event.timeStamp;
        return after >= 0 && after < ANSWER_MS && !isOwn(name);
      };
      if (suspect && list.getEntries().some(isAnswer)) acquit();
    }),
  );
  /** A suspect that nobody waits for any longer. */
  const settle = guard.wrap(() => {
    if (suspect && isQuiet) {
      const { target, start, event, count } = suspect;
      const fact: ClickFact = {
        time: start,
        type: ClickPatternType.DEAD,
        count,
        target: selectorOf(target),
        duration: event.timeStamp - start,
      };
      sink.push(InboxKind.CLICK_PATTERN, fact);
    }
    acquit();
  });
  const judge = guard.wrap(() => {
    unlisten();
    mutations.disconnect();
    isQuiet = !!suspect && isSuspicious(suspect);
    if (isQuiet) timer = setTimeout(settle, LATE_MS);
    else acquit();
  });
  listen<MouseEvent>(context, window, "click", (event) => {
    const { target, timeStamp: start } = event;
    if (!event.isTrusted || !target) return;
    if (suspect?.target !== target) settle();
    clearTimeout(timer);
    isQuiet = false;
    suspect ??= { target: target as Element, start, count: 0, href: "", event };
    suspect.count++;
    suspect.event = event;
    suspect.href = location.href;
    mutations.observe(document, CHANGES);
    resources.observe(RESOURCES);
    listenOn();
    timer = setTimeout(judge, ANSWER_MS);
  });
  context.drains.push(() => isHidden() && settle());
  context.stops.push(() => {
    unlisten();
    acquit();
  });
}
