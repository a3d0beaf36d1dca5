import * as Sentry from "@sentry/browser";
const { host, protocol } = location;
Sentry.init({
  dsn: `${protocol}//public@${host}/1`,
  tunnel: globalThis.LAB_SINK,
  integrations: [Sentry.browserTracingIntegration()],
  tracesSampleRate: 1,
});
