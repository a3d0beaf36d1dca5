// Raw inboxes from a page without WebAssembly: the collector's beacons must be those of `vitrace replay`, byte for byte,
// whatever is sent twice, compressed, or refused by the way, and after a kill -9.
//
//   node tests/e2e/raw_inbox.mjs path/to/vitrace
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { bodiesOf, documentId, encode, framesOf } from "../support/raw_bodies.mjs";

const binary = process.argv[2];
const work = mkdtempSync(join(tmpdir(), "vitrace-raw-"));
let passed = 0;
let failed = 0;
function check(sentence, good, detail = "") {
  good ? passed++ : failed++;
  console.log(`${good ? "ok  " : "FAIL"} ${sentence}${good ? "" : `: ${detail}`}`);
}

function streamOf(bodies) {
  const parts = [];
  for (const { batches, clocks, final } of bodies) {
    for (const { words, strings, batch } of batches) {
      const sizes = Buffer.alloc(16);
      sizes.writeUInt32LE(words, 0);
      sizes.writeUInt32LE(strings, 4);
      parts.push(clocks, sizes, batch);
    }
    const seal = Buffer.alloc(16);
    seal.writeUInt32LE(final ? 2 : 1, 8);
    parts.push(clocks, seal);
  }
  return Buffer.concat(parts);
}

function split(bytes) {
  const beacons = [];
  for (let at = 0; at < bytes.length; at += 4 + bytes.readUInt32LE(at)) beacons.push(bytes.subarray(at + 4, at + 4 + bytes.readUInt32LE(at)).toString("hex"));
  return beacons;
}

// The batch with START of another document.
function renamed(frame, id) {
  const batch = Buffer.from(frame.batch);
  for (let i = 0; i < 4; i++) batch.writeDoubleLE(id.readUInt32BE(4 * i), 8 * (1 + i));
  return { ...frame, batch };
}

const children = [];
async function start(data) {
  const child = spawn(binary, ["serve", "--data", data, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0"], { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (text) => (log += text));
  const ended = new Promise((resolve) => child.on("exit", (code, signal) => resolve({ code, signal, log: () => log })));
  children.push(child);
  const file = join(data, "addresses.json");
  const late = Date.now() + 30_000;
  for (;;) {
    if (existsSync(file)) {
      const addresses = JSON.parse(readFileSync(file, "utf8"));
      if (addresses.pid === child.pid) return { child, ended, ...addresses };
    }
    if (child.exitCode !== null || Date.now() > late) throw new Error(`the collector did not start: ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function post(server, body, headers = {}) {
  const answer = await fetch(`${server.listen}/v1/beacon`, { method: "POST", body, headers: { "Content-Type": "text/plain", ...headers }, signal: AbortSignal.timeout(20_000) });
  const text = await answer.text();
  return `${answer.status}${text ? ` ${JSON.parse(text).error.code}` : ""}`;
}

const logged = (data) => execFileSync(binary, ["log", "dump", "--payload", join(data, "log")], { encoding: "utf8", maxBuffer: 1 << 28 })
  .split("\n").filter(Boolean).map((line) => JSON.parse(line)).map((record) => record.payload);

async function main() {
  const frames = framesOf(readFileSync("tests/golden/replay/session.stream"));
  const bodies = bodiesOf(frames);
  const id = documentId(frames[0].batch);
  const encoded = bodies.map((body, seq) => encode(body, seq, id));
  const stream = join(work, "raw.stream");
  writeFileSync(stream, streamOf(bodies));
  const expected = split(execFileSync(binary, ["replay", stream], { maxBuffer: 1 << 28 }));
  check(`the golden session is ${bodies.length} bodies and ${expected.length} beacons`, bodies.length > 1 && expected.length >= bodies.length);

  const data = join(work, "data");
  const server = await start(data);
  check("a body of a document that nobody began is 409", (await post(server, encoded[1])) === "409 unknown_document");
  for (let seq = 0; seq < encoded.length; seq++) {
    const packed = seq % 2 === 1;
    check(`body ${seq}${packed ? ", gzip," : ""} is 204`, (await post(server, packed ? gzipSync(encoded[seq]) : encoded[seq])) === "204");
    check(`body ${seq} again is 204`, (await post(server, encoded[seq])) === "204");
  }
  const foreign = Buffer.from(encoded[0]);
  foreign[4] = 3;
  check("another version is 400", (await post(server, foreign)) === "400 bad_version");
  check("a body cut short is 400", (await post(server, encoded[0].subarray(0, 100))) === "400 truncated");
  check("an encoding that the bytes do not have is 400", (await post(server, encoded[0], { "Content-Encoding": "gzip" })) === "400 encoding_mismatch");
  server.child.kill("SIGKILL");
  await server.ended;

  const got = logged(data);
  check("after kill -9 the log has the beacons of `vitrace replay`, once, in order, byte for byte",
    JSON.stringify(got) === JSON.stringify(expected), `${got.length} records, ${expected.length} expected`);

  const other = Buffer.from(id);
  other[0] ^= 0x40;
  const left = bodies.map((body, seq) => encode({ ...body, batches: seq > 0 ? body.batches : [renamed(body.batches[0], other), ...body.batches.slice(1)] }, seq, other));
  const fresh = await start(join(work, "left"));
  const answers = await Promise.all([...left].reverse().map((body) => post(fresh, body)));
  check("bodies of a page that is left, all at once and the last one first, are 204", answers.every((answer) => answer === "204"), answers.join());
  fresh.child.kill("SIGTERM");
  await fresh.ended;
  check("and none of their beacons is missing", logged(join(work, "left")).length === expected.length);

  const second = await start(data);
  check("after a restart the document is not known", (await post(second, encoded[1])) === "409 unknown_document");
  for (let seq = 0; seq < encoded.length; seq++) check(`the whole document again: body ${seq} is 204`, (await post(second, encoded[seq])) === "204");
  second.child.kill("SIGTERM");
  const end = await second.ended;
  check("it ends cleanly, with nothing from the sanitizers", end.code === 0 && !/ERROR: (Address|Leak)Sanitizer|runtime error/.test(end.log()), end.log().slice(-2000));
  check("and nothing of it was stored twice", JSON.stringify(logged(data)) === JSON.stringify(expected));
}

try {
  await main();
} catch (error) {
  check("the test runs to its end", false, error.stack);
} finally {
  for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  rmSync(work, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
