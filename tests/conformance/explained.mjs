/**
 * The differences that are meant, as a table. A row does not excuse a number: it rewrites the stream so that its cause
 * is gone, and web-vitals, given the rewritten stream, has to agree exactly with what the subject said of the original.
 *
 * A defect is never a row: it is a failure until it is mended. `at` is the moment that differs, counted in times that the page was hidden; a rewrite keeps those.
 */
const mapEntries = (scenario, change) => ({
  ...scenario,
  page: { ...scenario.page, buffered: scenario.page.buffered?.flatMap(change) },
  steps: scenario.steps.map((step) => (step.entries ? { ...step, entries: step.entries.flatMap((entry) => change(entry, step)) } : step)),
});

const mapSteps = (scenario, change) => ({ ...scenario, steps: scenario.steps.flatMap(change) });

/** Everything that came before the view of a moment was restored. */
function stepsBeforeView({ steps }, at) {
  let hidden = -1;
  let restored = -1;
  for (const [i, step] of steps.entries()) {
    if (step.do === "hide" && ++hidden === at) break;
    if (step.do === "pageshow" && step.persisted) restored = i;
  }
  return new Set(steps.slice(0, Math.max(restored, 0)));
}

const wasRestored = (step, state) => (state.is ||= step.do === "pageshow" && step.persisted);

/** Pending entries are delivered at once. */
const nothingPends = (scenario) => mapSteps(scenario, (step) => ({ ...step, do: step.do === "pend" ? "deliver" : step.do }));

function eventsTogether(scenario) {
  const steps = [];
  let waiting = [];
  const isEvent = ({ entryType }) => entryType === "event" || entryType === "first-input";
  for (const step of nothingPends(scenario).steps) {
    if (waiting.length && (step.do === "idle" || step.do === "hide")) {
      steps.push({ at: step.at, do: "deliver", entries: waiting });
      waiting = [];
    }
    waiting.push(...(step.entries ?? []).filter(isEvent));
    steps.push(step.entries ? { ...step, entries: step.entries.filter((entry) => !isEvent(entry)) } : step);
  }
  return { ...scenario, steps };
}

const RESOURCES_MAX = 128;

/** Without the resources that were forgotten by the time candidate number `candidate` was delivered. */
function forgetful(scenario, candidate) {
  const isResource = ({ entryType }) => entryType === "resource";
  const candidates = scenario.steps.filter((step) => step.entries?.some(({ entryType }) => entryType === "largest-contentful-paint"));
  const before = [...(scenario.page.buffered ?? []), ...scenario.steps.slice(0, scenario.steps.indexOf(candidates[candidate])).flatMap((step) => step.entries ?? [])];
  const forgotten = new Set(before.filter(isResource).slice(0, -RESOURCES_MAX));
  return mapEntries(scenario, (entry) => (forgotten.has(entry) ? [] : entry));
}

const SCRIPTS_MAX = 32;
const frameOf = (entry) => ({ ...entry, styleAndLayoutStart: entry.styleAndLayoutStart || entry.startTime + entry.duration });

export const EXPLAINED = [
  {
    id: "cls-window-in-batch",
    metrics: ["CLS"],
    title: "A session window that ends inside one observer batch counts",
    why: "web-vitals compares the window with the worst only after a whole batch, so a large window is lost when a smaller one follows in the same batch. The definition of CLS is the maximum over all windows.",
    source: "web-vitals 6.2.3 onCLS.ts handleEntries, LayoutShiftManager.ts; https://web.dev/articles/cls (session windows)",
    rewrite: (scenario) => [{ ...nothingPends(scenario), page: { ...scenario.page, oneByOne: ["layout-shift"] } }],
  },
  {
    id: "cls-shift-without-source",
    metrics: ["CLS"],
    title: "The largest shift has a time even when its elements are unknown",
    why: "web-vitals leaves the whole attribution out when a shift has no sources; the time of the shift is known all the same.",
    source: "web-vitals 6.2.3 attribution/onCLS.ts attributeCLS",
    rewrite: (scenario) => [mapEntries(scenario, (entry) => (entry.entryType === "layout-shift" && !entry.sources?.length ? { ...entry, sources: [null] } : entry))],
  },
  {
    id: "cls-shifts-of-the-view-before",
    metrics: ["CLS"],
    title: "A restored view does not answer for shifts of the view before",
    why: "Where the load had no first paint that counts, web-vitals begins CLS at the restore, with a buffered observer that brings the shifts of the load.",
    source: "web-vitals 6.2.3 onCLS.ts (onFCP(runOnce(...))), observe.ts (buffered: true)",
    rewrite: (scenario, at) => {
      const before = stepsBeforeView(scenario, at);
      return [mapEntries(scenario, (entry, step) => (entry.entryType === "layout-shift" && (!step || before.has(step)) ? [] : entry))];
    },
  },
  {
    id: "restore-hidden-before-frame",
    metrics: ["FCP", "LCP"],
    title: "A restored view that is not visible until its first frame has no paint",
    why: "web-vitals waits for the frame for as long as the page is hidden and reports the whole time as FCP and LCP. A load that is hidden before its first paint has neither.",
    source: "web-vitals 6.2.3 onFCP.ts, onLCP.ts (doubleRAF without a look at visibility)",
    rewrite: (scenario) => {
      let isHidden = false;
      let isUnseen = false;
      return [mapSteps(scenario, (step) => {
        if (step.do === "hide" || step.do === "show") isHidden = step.do === "hide";
        // Either it was not yet visible when it was restored, or it is hidden again before the frame.
        if (step.do === "pageshow") isUnseen = isHidden;
        if (step.do === "hide") isUnseen = true;
        return step.do === "frames" && isUnseen ? [] : step;
      })];
    },
  },
  {
    id: "paint-of-the-load-after-restore",
    metrics: ["FCP", "CLS"],
    title: "A paint entry of the load is not the paint of a restored view",
    why: "web-vitals reports whatever first-contentful-paint comes first as that of the view it is in, measured from the time origin.",
    source: "web-vitals 6.2.3 onFCP.ts handleEntries",
    rewrite: (scenario) => {
      const state = {};
      const after = new Set(scenario.steps.filter((step) => wasRestored(step, state)));
      return [mapEntries(scenario, (entry, step) => (entry.entryType === "paint" && after.has(step) ? [] : entry))];
    },
  },
  {
    id: "load-after-restore",
    metrics: ["TTFB"],
    title: "A load that ends after a restore gives the restored view no first byte",
    why: "web-vitals reports the first byte of the load, under its navigation type, in the middle of the restored view.",
    source: "web-vitals 6.2.3 onTTFB.ts whenReady",
    rewrite: (scenario) => {
      const state = {};
      return [mapSteps(scenario, (step) => (wasRestored(step, state) && step.do === "load" ? [] : step))];
    },
  },
  {
    id: "lcp-resource-forgotten",
    metrics: ["LCP"],
    title: "The image's resource is among the last 128 before the candidate, or comes later",
    why: "web-vitals keeps 50, and then searches the whole performance timeline, which only JavaScript can do and which is 250 entries long at most. Without the entry the load delay and duration are told as render delay.",
    source: "web-vitals 6.2.3 attribution/onLCP.ts (resourceBuffer, then getEntriesByType)",
    rewrite: (scenario) => scenario.steps.filter((step) => step.entries?.some(({ entryType }) => entryType === "largest-contentful-paint"))
      .map((_, candidate) => forgetful(scenario, candidate)),
  },
  {
    id: "lcp-pending-when-hidden",
    metrics: ["LCP", "FCP"],
    title: "A paint that the browser has recorded counts even when its callback had not run before the page was hidden",
    why: "web-vitals drains pending shifts and events at that moment, but disconnects the observer of paints.",
    source: "web-vitals 6.2.3 onLCP.ts finalizeLCP",
    rewrite: (scenario) => [nothingPends(scenario)],
  },
  {
    id: "inp-hidden-before-idle",
    metrics: ["INP"],
    title: "Interactions that were delivered are counted when the page is hidden before it was idle",
    why: "web-vitals makes its forced report first and evaluates what is queued behind it, so the interaction is told only if the page is hidden a second time.",
    source: "web-vitals 6.2.3 onINP.ts, getVisibilityWatcher.ts, whenIdleOrHidden.ts (order of the listeners)",
    rewrite: (scenario) => [mapSteps(nothingPends(scenario), (step) => (step.do === "hide" ? [{ at: step.at, do: "idle" }, step] : step))],
  },
  {
    id: "inp-batches-before-idle",
    metrics: ["INP"],
    title: "Events that wait for the same idle moment are judged together",
    why: "web-vitals sorts by end time within one observer batch only, and chooses after each: with several batches waiting, the outcome depends on how the browser cut them.",
    source: "web-vitals 6.2.3 onINP.ts handleEntries, observe.ts (sort)",
    rewrite: (scenario) => [eventsTogether(scenario)],
  },
  {
    id: "soft-navigation-behind-its-batch",
    metrics: ["CLS", "INP"],
    title: "Shifts and events of one observer callback with a soft navigation are those of the view before",
    why: "web-vitals has them and the navigation in one observer, and sorts. The SDK's observers of shifts and events are called before that of navigations. Chromium gives events, and the paint with the navigation, to callbacks of their own.",
    source: "web-vitals 6.2.3 onCLS.ts, onINP.ts (types.push), observe.ts (sort); recorded.jsonl, the steps before each soft-navigation",
    rewrite: (scenario) => [mapSteps(scenario, (step) => {
      const isSoft = ({ entryType }) => entryType === "soft-navigation" || entryType === "interaction-contentful-paint";
      if (!step.entries?.some(isSoft)) return step;
      return [{ ...step, entries: step.entries.filter((entry) => !isSoft(entry)) }, { ...step, entries: step.entries.filter(isSoft) }];
    })],
  },
  {
    id: "inp-scripts-past-32",
    metrics: ["INP"],
    title: "Of a long animation frame the 32 longest scripts count",
    why: "A frame may have any number of scripts of 5 ms and more; what one frame may cost has a limit here.",
    source: "wasm/abi/inbox.h INBOX_FRAME_SCRIPTS_MAX",
    rewrite: (scenario) => [mapEntries(scenario, (entry) => {
      if (!(entry.scripts?.length > SCRIPTS_MAX)) return entry;
      const longest = new Set([...entry.scripts].sort((a, b) => b.duration - a.duration).slice(0, SCRIPTS_MAX));
      return { ...entry, scripts: entry.scripts.filter((script) => longest.has(script)) };
    })],
  },
  {
    id: "inp-frames-without-rendering",
    metrics: ["INP"],
    title: "A long animation frame that rendered nothing has no style and layout",
    why: "web-vitals subtracts a styleAndLayoutStart of 0 from the end of the frame, which makes its style and layout as long as the page is old, and what is unattributed negative.",
    source: "web-vitals 6.2.3 attribution/onINP.ts attributeLoAFDetails; Long Animation Frames, styleAndLayoutStart is 0 without rendering",
    rewrite: (scenario) => [mapEntries(scenario, (entry) => (entry.entryType === "long-animation-frame" ? frameOf(entry) : entry))],
  },
];
