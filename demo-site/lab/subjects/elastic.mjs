import { init } from "@elastic/apm-rum";
init({ serviceName: "lab", serverUrl: globalThis.LAB_SINK, serviceVersion: "1", transactionSampleRate: 1 });
