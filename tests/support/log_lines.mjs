// The daemon's standard error as a log collector reads it: every line is JSON, valid UTF-8, and has its four members.
//
//   node tests/support/log_lines.mjs FILE     prints each line that is none, exit status 1 when there is one
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const LEVELS = ["error", "warning", "info", "debug"];

function fault(line) {
  let text, message;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(line);
  } catch {
    return "is not UTF-8";
  }
  if (/[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(text)) return "holds a control character";
  try {
    message = JSON.parse(text);
  } catch {
    return "is not JSON";
  }
  const good = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(message.time) && LEVELS.includes(message.level) &&
    /^[a-z0-9_]+$/.test(message.event) && typeof message.message === "string" && Object.keys(message).length === 4;
  return good ? "" : "has not the members time, level, event and message";
}

// What is wrong with a Buffer of whole lines; [] = nothing.
export function logFaults(bytes) {
  const faults = [];
  for (let at = 0, number = 1; at < bytes.length; number++) {
    const end = bytes.indexOf(10, at);
    const line = bytes.subarray(at, end < 0 ? bytes.length : end);
    const what = end < 0 ? "does not end" : fault(line);
    if (what !== "") faults.push(`line ${number} ${what}: ${JSON.stringify(line.toString("latin1").slice(0, 300))}`);
    at = end < 0 ? bytes.length : end + 1;
  }
  return faults;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const faults = logFaults(readFileSync(process.argv[2]));
  for (const what of faults) console.log(what);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
