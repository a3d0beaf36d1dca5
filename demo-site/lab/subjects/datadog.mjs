import { datadogRum } from "@datadog/browser-rum";
datadogRum.init({
  applicationId: "00000000-0000-0000-0000-000000000000",
  clientToken: "pub00000000000000000000000000000000",
  site: "datadoghq.com",
  proxy: globalThis.LAB_SINK,
  service: "lab",
  sessionSampleRate: 100,
  sessionReplaySampleRate: 0,
  trackResources: true,
  trackLongTasks: true,
  trackUserInteractions: true,
});
