// beacon.proto as data, for the reader in vitrace-debug.js: what the schema says is written down once.
import { readFileSync } from "node:fs";

const FIELD = /^\s*(repeated )?([\w.]+) (\w+) = (\d+);/;
const MEMBER = /^\s*(\w+) = (\d+);/;

/** { messages: { Header: { 1: ["schema_version", "uint32", isRepeated] } }, enums: { Metric: { 1: "METRIC_LCP" } } } */
export function schemaOf(file) {
  const messages = {};
  const enums = {};
  let fields;
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const [, kind, name] = /^(message|enum) (\w+) \{/.exec(line) ?? [];
    if (kind) fields = (kind === "message" ? messages : enums)[name] = {};
    const [, repeated, type, field, number] = FIELD.exec(line) ?? [];
    if (field) fields[number] = repeated ? [field, type, 1] : [field, type];
    const [, member, value] = MEMBER.exec(line) ?? [];
    if (member && !field) fields[value] = member;
  }
  return { messages, enums };
}
