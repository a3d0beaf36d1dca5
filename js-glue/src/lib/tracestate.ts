/** What may travel beside a `traceparent`, by the rules of W3C Trace Context and Baggage. */

const MEMBERS_MAX = 32;
/** What every tracer on the way has to carry on. */
const CHARS_MAX = 512;
const MEMBER = /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[ -+\--<>-~]{0,255}[!-+\--<>-~]$/;

export function isTracestate(text: string): boolean {
  const members = text.split(",").map((member) => member.trim()).filter(Boolean);
  const keys = new Set(members.map((member) => member.split("=")[0]));
  return members.length <= MEMBERS_MAX && keys.size === members.length && text.length <= CHARS_MAX && members.every((member) => MEMBER.test(member));
}

const BAGGAGE_MEMBERS_MAX = 64;
const BAGGAGE_CHARS_MAX = 8192;
const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/;

/** The header, or undefined when a key is none or it gets too long. Values are percent-encoded, so they may be anything. */
export function baggageOf(baggage: Record<string, string>): string | undefined {
  const members = Object.entries(baggage).map(([key, value]) => TOKEN.test(key) && `${key}=${encodeURIComponent(value)}`);
  const text = members.join(",");
  return members.length <= BAGGAGE_MEMBERS_MAX && text.length <= BAGGAGE_CHARS_MAX && members.every(Boolean) ? text : undefined;
}
