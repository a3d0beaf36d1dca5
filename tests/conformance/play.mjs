/** Plays a scenario: what each kind of step does to a page. */
import { Page } from "./page.mjs";

const turn = (page, state, step) => {
  page.global.document.visibilityState = state;
  page.dispatch("visibilitychange", step, true);
};

const ACTIONS = {
  deliver: (page, { entries }) => page.record(entries),
  pend: (page, { entries }) => page.hold(entries),
  idle: (page) => page.runIdle(),
  frames: (page) => {
    page.runFrame();
    page.runFrame();
  },
  load: (page, step) => {
    page.loaded();
    page.dispatch("load", step);
  },
  count: ({ global }, { interactions }) => {
    if ("interactionCount" in global.performance) global.performance.interactionCount = interactions;
  },
  activate: (page, step) => {
    const { document } = page.global;
    document.prerendering = false;
    document.visibilityState = step.state;
    if (page.navigation) page.navigation.activationStart = step.activationStart ?? step.at;
    page.dispatch("prerenderingchange", step, true);
  },
  hide: (page, step) => turn(page, "hidden", step),
  show: (page, step) => turn(page, "visible", step),
  pagehide: (page, step) => page.dispatch("pagehide", step),
  pageshow: (page, step) => page.dispatch("pageshow", step),
  keydown: (page, step) => page.dispatch("keydown", step, true),
  click: (page, step) => page.dispatch("click", step, true),
};

/**
 * A subject has begin(page), which starts it in the page, and vitals(page), asked whenever the page was hidden: the
 * vitals of the current view by name. ended(page) is asked at the end: the last vitals of each view that a soft navigation
 * ended. It may have before(step, page) and after(step, page); all may be async. Returns one record of vitals for each time
 * that the page was hidden, and then one for each view that was ended.
 */
export async function play(scenario, subject) {
  const page = new Page(scenario);
  const seen = [];
  await subject.begin(page, scenario);
  page.step(page.now, () => {});
  for (const step of scenario.steps) {
    await subject.before?.(step, page);
    if (step.do !== "hide") page.letGo();
    page.step(step.at, () => ACTIONS[step.do](page, step));
    await subject.after?.(step, page);
    if (step.do === "hide") seen.push(await subject.vitals(page));
  }
  if (scenario.page.soft) seen.push(...(await subject.ended(page)));
  return seen;
}
