// What a DevTools trace says of an SDK: main-thread CPU at its start, its longest block, and long tasks that it caused.
//
// An event belongs to the SDK when its script does. Only the outermost one counts, so that nothing is counted twice; time
// is thread time (`tdur`), which other processes on the machine do not lengthen.
const OWNED = new Set(["EvaluateScript", "FunctionCall", "v8.compile", "v8.run", "V8.CompileCode", "v8.wasm.compileModule", "FireIdleCallback", "TimerFire"]);
const LONG_TASK_US = 50_000;

const urlOf = ({ args }) => args?.data?.url ?? args?.data?.stackTrace?.[0]?.url ?? args?.fileName ?? "";

function mainThreadOf(events) {
  const counts = new Map();
  for (const { name, pid, tid, args } of events) {
    // Whoever evaluated the page's own script is its main thread.
    if (name !== "EvaluateScript" || !/\/workload\.js$/.test(args?.data?.url ?? "")) continue;
    const key = `${pid}:${tid}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}

function outermost(events) {
  const result = [];
  let end = -Infinity;
  for (const event of events.sort((a, b) => a.ts - b.ts || b.dur - a.dur)) {
    if (event.ts < end) continue;
    result.push(event);
    end = event.ts + event.dur;
  }
  return result;
}

/** `isOwn(url)`: is this script the SDK's? `startMs`: how long after the load event the start lasts. */
export function traceCost(events, isOwn, startMs) {
  const thread = mainThreadOf(events);
  const onMain = events.filter(({ ph, pid, tid }) => ph === "X" && `${pid}:${tid}` === thread);
  const loaded = events.find(({ name, pid, tid }) => name === "MarkLoad" && `${pid}:${tid}` === thread)?.ts ?? Infinity;
  const own = outermost(onMain.filter((event) => OWNED.has(event.name) && isOwn(urlOf(event))));
  const atStart = own.filter(({ ts }) => ts <= loaded + startMs * 1000);
  const ms = (event) => (event.tdur ?? event.dur) / 1000;
  const tasks = onMain.filter(({ name, dur }) => /^(ThreadControllerImpl::)?RunTask$/.test(name) && dur >= LONG_TASK_US);
  const causedBySdk = ({ ts, dur }) => {
    const inside = own.filter((event) => event.ts >= ts && event.ts < ts + dur).reduce((sum, event) => sum + event.dur, 0);
    return inside >= dur / 2 || (inside > 0 && dur - inside < LONG_TASK_US);
  };
  return {
    startMs: atStart.reduce((sum, event) => sum + ms(event), 0),
    longestStartBlockMs: Math.max(0, ...atStart.map(ms)),
    longTasks: tasks.filter(causedBySdk).length,
  };
}
