// What a V8 CPU profile says of an SDK. A sample belongs to its innermost frame with a script's URL; WebAssembly is the
// SDK's, for no page here has any of its own. The profiler inflates times: ratios are the use of it.
const WINDOW_US = 100_000;
// A wrapped XMLHttpRequest that the page sends: what the browser does in there is the page's, above all when it waits.
const PASSED_THROUGH = "send";

export function profileCost({ nodes, samples, timeDeltas, startTime }, isOwn) {
  const own = new Map();
  const parents = new Map();
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node.id);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const isOwnNode = (id) => {
    if (own.has(id)) return own.get(id);
    const { url, functionName } = byId.get(id).callFrame;
    const result = url ? isOwn(url) || url.startsWith("wasm:") : functionName !== PASSED_THROUGH && parents.has(id) && isOwnNode(parents.get(id));
    own.set(id, result);
    return result;
  };
  let at = startTime, total = 0;
  const windows = new Map();
  const byFunction = new Map();
  samples.forEach((id, index) => {
    const delta = Math.max(timeDeltas[index] ?? 0, 0);
    at += delta;
    if (!isOwnNode(id)) return;
    total += delta;
    const window = Math.floor((at - startTime) / WINDOW_US);
    windows.set(window, (windows.get(window) ?? 0) + delta);
    const { functionName, url, lineNumber, columnNumber } = byId.get(id).callFrame;
    const name = `${functionName || "(anonymous)"} ${url.replace(/.*\//, "")}:${lineNumber}:${columnNumber}`;
    byFunction.set(name, (byFunction.get(name) ?? 0) + delta);
  });
  return {
    selfMs: total / 1000,
    peakShare: Math.max(0, ...windows.values()) / WINDOW_US,
    byFunction: [...byFunction].map(([name, us]) => [name, us / 1000]).sort((a, b) => b[1] - a[1]),
  };
}

// A sampling heap profile: bytes allocated in the SDK's functions, live or not.
export function allocatedBytes({ head }, isOwn) {
  const walk = (node, inherited) => {
    const { url } = node.callFrame;
    const isMine = url ? isOwn(url) || url.startsWith("wasm:") : inherited;
    return (isMine ? node.selfSize : 0) + node.children.reduce((sum, child) => sum + walk(child, isMine), 0);
  };
  return walk(head, false);
}
