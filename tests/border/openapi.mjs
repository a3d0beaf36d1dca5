// collector/api/openapi.json held to the daemon, and the daemon to it. Every operation x every credential; every parameter left out, at its
// bounds and beyond them, made from its own schema; every answer against its schema, in which a member that is not written down is a
// mistake. And the other way: every route and every parameter of the source is in the file.
//
//   node tests/border/openapi.mjs path/to/vitrace
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { beaconFor } from "../e2e/beacon_sample.mjs";
import { Daemon, Tally, talk } from "./daemon.mjs";

const api = JSON.parse(readFileSync("collector/api/openapi.json", "utf8"));
const TOKEN = "vta_of_this_test_and_no_other_daemon_0123456789";
const tally = new Tally();

const resolve = (schema) => (schema.$ref ? resolve(schema.$ref.split("/").slice(1).reduce((at, name) => at[name], api)) : schema);

// What is wrong with a value, "" = nothing. The part of JSON Schema that the file uses; anything else in it is a mistake of the file.
const kinds = { object: (v) => v !== null && typeof v === "object" && !Array.isArray(v), array: Array.isArray, string: (v) => typeof v === "string",
  number: (v) => typeof v === "number", integer: Number.isInteger, boolean: (v) => typeof v === "boolean", null: (v) => v === null };
const keywords = new Set(["type", "enum", "pattern", "minimum", "maximum", "required", "properties", "additionalProperties", "items", "description", "default"]);
function fault(value, given, at = "$") {
  const schema = resolve(given);
  const unknown = Object.keys(schema).find((name) => !keywords.has(name));
  if (unknown) return `${at}: the schema has ${unknown}, which is not looked at`;
  if (schema.type && ![schema.type].flat().some((type) => kinds[type](value))) return `${at}: ${JSON.stringify(value)} is no ${schema.type}`;
  if (schema.enum && !schema.enum.includes(value)) return `${at}: ${value} is none of ${schema.enum}`;
  if (schema.pattern && !new RegExp(schema.pattern, "u").test(value)) return `${at}: ${value} does not match ${schema.pattern}`;
  if (schema.minimum > value || schema.maximum < value) return `${at}: ${value} is out of range`;
  if (kinds.array(value)) return value.map((item, i) => fault(item, schema.items ?? {}, `${at}[${i}]`)).find(Boolean) ?? "";
  if (!kinds.object(value)) return "";
  const missing = (schema.required ?? []).find((name) => !(name in value));
  if (missing) return `${at}: ${missing} is missing`;
  for (const [name, member] of Object.entries(value)) {
    const its = schema.properties?.[name] ?? schema.additionalProperties ?? true;
    if (its === false) return `${at}: ${name} is not written down`;
    const wrong = its === true ? "" : fault(member, its, `${at}.${name}`);
    if (wrong) return wrong;
  }
  return "";
}

const VIEW = "07".repeat(16), SESSION = "09".repeat(16), TRACE = readTraceId();
function readTraceId() { // of the recorded export: ResourceSpans.ScopeSpans.Span.trace_id, the first field of 16 bytes
  const bytes = readFileSync("tests/golden/otlp/sdk_trace.bin");
  const at = bytes.indexOf(Buffer.from([0x0a, 0x10]));
  return bytes.subarray(at + 2, at + 18).toString("hex");
}
const good = { app: "shop", metric: "fcp", view_id: VIEW, trace_id: TRACE, session: SESSION, group: "route", limit: "1", since: "0" };

// From its schema: values that must be taken, and values that must be refused.
function valuesOf(parameter) {
  const schema = resolve(parameter.schema);
  if (schema.enum) return { taken: schema.enum, refused: ["", "nonsense", schema.enum[0].toUpperCase(), `${schema.enum[0]} `] };
  if (schema.type === "integer") return { taken: [schema.minimum, schema.maximum], refused: ["", schema.minimum - 1, schema.maximum + 1, "x", "1e2", "99999999999999999999999"] };
  const candidates = ["", "a", "shop", "Shop", "-a", "a".repeat(64), "a".repeat(65), "a\u0000b", "é", "0", "1760000000000", "1760000000000.5", "-1", "1e9", "9".repeat(15),
    VIEW, VIEW.slice(1), `${VIEW}0`, VIEW.replaceAll("0", "A"), VIEW.replace("0", "g")];
  const fits = (value) => new RegExp(schema.pattern, "u").test(value) && !(parameter.name === "since" && Number(value) > 1e14);
  return { taken: candidates.filter(fits), refused: candidates.filter((value) => !fits(value)) };
}

function urlOf(path, parameters, values) {
  const query = new URLSearchParams();
  for (const { name, in: where } of parameters) {
    if (where === "path") path = path.replace(`{${name}}`, encodeURIComponent(values[name] ?? ""));
    else if (values[name] !== undefined) query.set(name, values[name]);
  }
  return `${daemon.admin}${path}${query.size > 0 ? `?${query}` : ""}`;
}

async function ask(url, { token = TOKEN, method = "GET" } = {}) {
  const response = await fetch(url, { method, headers: token === null ? {} : { authorization: `Bearer ${token}` }, redirect: "error" });
  const type = response.headers.get("content-type")?.split(";")[0] ?? "";
  const text = await response.text();
  return { status: response.status, type, headers: response.headers, body: type === "application/json" && text !== "" ? JSON.parse(text) : text };
}

function checkAnswer(what, operation, answer, statuses) {
  const written = operation.responses[answer.status];
  tally.check(`${what} is answered ${statuses.join(" or ")}`, statuses.includes(answer.status), `${answer.status} ${JSON.stringify(answer.body).slice(0, 200)}`);
  tally.check(`${what}: that status is written down`, written !== undefined, `${answer.status}`);
  const schema = written?.content[answer.type]?.schema;
  const wrong = schema ? fault(answer.body, schema) : `${answer.type} is not written down`;
  tally.check(`${what}: so is every member of the answer`, wrong === "", wrong);
}

const daemon = await Daemon.start(process.argv[2], `admin_tokens: ["${createHash("sha256").update(TOKEN).digest("hex")}"]\nlimits: {admin_failures_per_minute: 0}\n`);
await fetch(`${daemon.listen}/v1/beacon`, { method: "POST", body: beaconFor("shop", { route: "/p/:id" }) });
await fetch(`${daemon.otlp_http}/v1/traces`, { method: "POST", headers: { "content-type": "application/x-protobuf" }, body: readFileSync("tests/golden/otlp/sdk_trace.bin") });
await talk(daemon.port("listen"), "GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
for (let i = 0; i < 200 && (await ask(`${daemon.admin}/api/v1/traces/${TRACE}`)).status !== 200; i++) await pause(50); // the index follows the log

const operations = Object.entries(api.paths).map(([path, { get: operation, ...others }]) => ({ path, operation, others }));
await tally.section(`${operations.length} operations`, async () => {
  for (const { path, operation, others } of operations) {
    const url = urlOf(path, operation.parameters, good);
    tally.check(`${path} is read-only`, Object.keys(others).length === 0, Object.keys(others).join(" "));
    checkAnswer(`${path} with all its parameters`, operation, await ask(url), [200]);
    const isOpen = operation.security?.length === 0;
    for (const [name, token] of [["no token", null], ["a wrong token", "x"]]) checkAnswer(`${path} with ${name}`, operation, await ask(url, { token }), [isOpen ? 200 : 401]);
    const head = await ask(url, { method: "HEAD" });
    tally.check(`HEAD ${path} is its GET without a body`, head.status === 200 && head.body === "", `${head.status}`);
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const { status, headers } = await ask(url, { method });
      tally.check(`${method} ${path} is 405`, status === 405 && headers.get("allow") === "GET, HEAD", `${status} ${headers.get("allow")}`);
    }
  }
});

await tally.section("their parameters", async () => {
  for (const { path, operation } of operations)
    for (const parameter of operation.parameters) {
      const { name, required, in: where } = parameter;
      const { taken, refused } = valuesOf(parameter);
      tally.check(`${name} of ${path} has values of either kind`, taken.length > 0 && refused.length > 2, "");
      for (const value of taken) checkAnswer(`${path} with ${name}=${value}`, operation, await ask(urlOf(path, operation.parameters, { ...good, [name]: value })), where === "path" ? [200, 404] : [200]);
      for (const value of refused) {
        if (where === "path" && value === "") continue; // another path
        checkAnswer(`${path} with ${name}=${value}`, operation, await ask(urlOf(path, operation.parameters, { ...good, [name]: value })), [400]);
      }
      if (where === "query") checkAnswer(`${path} without ${name}`, operation, await ask(urlOf(path, operation.parameters, { ...good, [name]: undefined })), [required ? 400 : 200]);
    }
});

// What the source has and the file has not.
await tally.section("the other way", async () => {
  const routes = [...readFileSync("collector/api/api.c", "utf8").matchAll(/\{"([a-z]+\/?)", api_\w+\}/g)].map(([, name]) => name);
  const written = Object.keys(api.paths).filter((path) => path.startsWith("/api/v1/")).map((path) => path.slice("/api/v1/".length).replace(/\{.*/, ""));
  tally.check("every route of api.c is written down", routes.length > 5 && String([...routes].sort()) === String([...written].sort()), `${routes} | ${written}`);
  const wired = [...readFileSync("collector/app.c", "utf8").matchAll(/admin_routes\[\d\] =\s*\(struct net_route\)\{NET_GET \| NET_HEAD, (?:"(\/[a-z]+)"|API_PATH|"\/\*")/g)].map(([, path]) => path).filter(Boolean);
  tally.check("and every other path of the admin listener", wired.length > 2 && wired.every((path) => path in api.paths), `${wired}`);
  const names = [...readFileSync("collector/api/api_parameters.c", "utf8").matchAll(/api_find\(query, "(\w+)"/g)].map(([, name]) => name);
  const known = new Set(operations.flatMap(({ operation }) => operation.parameters).map(({ name }) => name));
  tally.check("every parameter of api_parameters.c is written down", names.length > 5 && names.every((name) => known.has(name)), names.filter((name) => !known.has(name)).join(" "));
  const guide = readFileSync("collector/api/API.md", "utf8");
  for (const path of Object.keys(api.paths).filter((name) => name.startsWith("/api/"))) tally.check(`API.md tells of ${path}`, guide.includes(`GET ${path}`), "");
  const unused = Object.keys(api.components.schemas).filter((name) => !JSON.stringify(api).includes(`"#/components/schemas/${name}"`));
  tally.check("no schema is left over", unused.length === 0, unused.join(" "));
});
const ended = await daemon.stop();
tally.check("it ends cleanly", ended === "", ended);
tally.close();
