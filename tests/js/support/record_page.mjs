// In the recorded page: the SDK's wrappers, and an observer beside them.
import { Guard } from "../../../js-glue/src/lib/guard.ts";
import { observeCalls } from "../../../js-glue/src/observe/calls.ts";

let calls = [];
let entries = [];
const guard = new Guard();
const context = { guard, sink: { push: (_kind, fact) => calls.push(fact), lose() {} }, drains: [], stops: [] };
observeCalls({ options: { trace: ["same-origin"] }, guard, context });

const plain = (entry) => ({
  name: entry.name, startTime: entry.startTime, responseStart: entry.responseStart, responseEnd: entry.responseEnd,
  status: entry.responseStatus ?? 0, size: entry.encodedBodySize, redirected: entry.redirectEnd > 0,
  id: entry.serverTiming?.find(({ name }) => name === "traceparent")?.description,
});
const take = (list) => entries.push(...list.filter(({ name }) => name.includes("#truth-")).map(plain));
const observer = new PerformanceObserver((list) => take(list.getEntries()));
observer.observe({ type: "resource" });

window.recorder = {
  begin() {
    calls = [];
    entries = [];
  },
  end(bodyEnds) {
    take(observer.takeRecords());
    return { calls, entries, bodyEnds };
  },
};
