// The time axis of a waterfall. Pages rest for long between bursts of work; a rest longer than a share of the work is cut
// to a fixed width, and said. Returns scale(time) -> 0..WIDTH, the cuts, and where ticks stand.
export const WIDTH = 1000; // units of the viewBox; the axis is stretched to the column
const REST_SHARE = 0.25; // of the busy time: shorter rests are drawn as they are
const CUT_SHARE = 0.04; // width of a cut, as a share of the busy time

function merge(intervals) {
  const merged = [];
  for (const [from, to] of [...intervals].sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

function niceStep(span) {
  const power = 10 ** Math.floor(Math.log10(span / 6));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => span / step <= 8);
}

export function timeline(intervals) {
  const busy = merge(intervals.map(([from, to]) => [from, Math.max(to, from + 0.1)]));
  const busyTime = busy.reduce((sum, [from, to]) => sum + to - from, 0) || 1;
  const pieces = []; // [from, to, drawn length]
  busy.forEach(([from, to], i) => {
    const before = i > 0 ? from - busy[i - 1][1] : 0;
    if (before > busyTime * REST_SHARE) pieces.push([busy[i - 1][1], from, busyTime * CUT_SHARE]);
    else if (before > 0) pieces.push([busy[i - 1][1], from, before]);
    pieces.push([from, to, to - from]);
  });
  const whole = pieces.reduce((sum, [, , length]) => sum + length, 0) || 1;
  const scale = (time) => {
    let drawn = 0;
    for (const [from, to, length] of pieces) {
      if (time < to) return ((drawn + (Math.max(0, time - from) / (to - from)) * length) / whole) * WIDTH;
      drawn += length;
    }
    return WIDTH;
  };
  const isCut = ([from, to, length]) => length < to - from;
  const step = niceStep(whole);
  const ticks = [];
  for (const [from, to, length] of pieces) {
    if (length < to - from) continue;
    for (let time = Math.ceil(from / step) * step; time <= to; time += step) if (!ticks.includes(time)) ticks.push(time);
  }
  return { scale, ticks, cuts: pieces.filter(isCut).map(([from, to]) => ({ from, to })) };
}
