import { onCLS, onFCP, onINP, onLCP, onTTFB } from "web-vitals";
const send = (metric) => navigator.sendBeacon(globalThis.LAB_SINK, JSON.stringify({ name: metric.name, value: metric.value, id: metric.id }));
for (const on of [onCLS, onFCP, onINP, onLCP, onTTFB]) on(send);
