/** The vitals of a subject against those of the oracle: exact, field by field. */
export const METRICS = ["LCP", "INP", "CLS", "FCP", "TTFB"];
const FIELDS = ["value", "rating", "navigationType", "target", "url", "name", "time", "loadState", "script"];
const isAlike = (want, have) => want.length === have.length && want.every((part, i) => part === have[i]);

/** Bits of a metric that the page cannot measure: the subject has to say so, which web-vitals never does. */
function isUnsupported(metric, { unsupported = [] }) {
  const needs = { LCP: ["largest-contentful-paint"], INP: ["event", "interactionId"], CLS: ["layout-shift"], FCP: ["paint"], TTFB: ["navigation"] };
  return needs[metric].some((need) => unsupported.includes(need));
}

function compareVital(expected, actual) {
  if (expected === undefined) return actual === undefined ? [] : ["reported"];
  if (actual === undefined || actual === "unsupported") return ["missing"];
  const fields = FIELDS.filter((field) => expected[field] !== actual[field]);
  return [...fields, ...["parts", "frames"].filter((list) => !isAlike(expected[list], actual[list]))];
}

/** A subject that was not running yet has null for a moment, which is passed over. One row for each vital at each moment that the page was hidden, with what differs. */
export function compareRuns(scenario, expected, actual) {
  return expected.flatMap((moment, at) => (actual[at] === null ? [] : METRICS).map((metric) => {
    const [want, have] = [moment[metric], actual[at]?.[metric]];
    const cannot = isUnsupported(metric, scenario.page);
    const fields = cannot ? (have === "unsupported" && want === undefined ? [] : ["state"]) : compareVital(want, have);
    return { at, metric, want, have, fields, isReported: want !== undefined };
  }));
}
