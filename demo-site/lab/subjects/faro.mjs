import { getWebInstrumentations, initializeFaro } from "@grafana/faro-web-sdk";
import { TracingInstrumentation } from "@grafana/faro-web-tracing";
initializeFaro({
  url: globalThis.LAB_SINK,
  app: { name: "lab", version: "1" },
  instrumentations: [...getWebInstrumentations({ captureConsole: false }), new TracingInstrumentation()],
});
