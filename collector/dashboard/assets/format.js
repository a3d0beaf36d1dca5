// How numbers look. Nothing here computes a statistic: the collector does.
export const METRICS = ["lcp", "inp", "cls", "fcp", "ttfb"];
export const METRIC_NAMES = {
  lcp: "Largest Contentful Paint", inp: "Interaction to Next Paint", cls: "Cumulative Layout Shift",
  fcp: "First Contentful Paint", ttfb: "Time to First Byte",
};

export function milliseconds(value) {
  if (value === undefined || value === null) return "–";
  if (value >= 10000) return `${(value / 1000).toFixed(1)} s`;
  if (value >= 100) return `${Math.round(value)} ms`;
  return `${value.toFixed(1)} ms`;
}

export function metricValue(metric, value) {
  if (value === undefined || value === null) return "–";
  return metric === "cls" ? value.toFixed(3) : milliseconds(value);
}

export function bytes(value) {
  if (!value) return "0 B";
  return value < 1024 ? `${value} B` : value < 1048576 ? `${(value / 1024).toFixed(1)} kB` : `${(value / 1048576).toFixed(1)} MB`;
}

export function clockTime(unixMs) {
  return new Date(unixMs).toLocaleTimeString(undefined, { hour12: false });
}

export function percent(share) {
  return share === undefined || share === null ? "–" : `${(share * 100).toFixed(share >= 0.9995 || share === 0 ? 0 : 1)} %`;
}

export function path(url) {
  try {
    const parsed = new URL(url);
    return parsed.origin === location.origin ? parsed.pathname : parsed.pathname + parsed.search;
  } catch {
    return url;
  }
}

const THRESHOLDS = { lcp: [2500, 4000], inp: [200, 500], cls: [0.1, 0.25], fcp: [1800, 3000], ttfb: [800, 1800] };
export function rating(metric, value) {
  const [good, fair] = THRESHOLDS[metric];
  return value <= good ? "good" : value <= fair ? "needs-improvement" : "poor";
}
export const ratingClass = (name) => `rating-${(name ?? "none").replaceAll("_", "-")}`;
