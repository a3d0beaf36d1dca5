// Do the tests of the log find what they are for? Each mutant is one mistake, put into a copy of the sources; the tests that
// are about acknowledged records must fail on it, and pass on the copy as it is.
//
//   node tests/crash/mutants.mjs [--only NAME]
//
// Debug builds without a sanitizer, fewer random states than usual. About half a minute a mutant.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

const TESTS = ["log_states_test", "log_recover_test", "log_fault_test", "log_model_test", "log_flip_test"];
const SYNC = "if (failure == 0 && self->os->fdatasync(self->os->context, segment->file) != 0)\n        failure = errno;";
const MUTANTS = {
  "no sync at all": [["log_writer.c", SYNC, ""]],
  "answers before the sync": [
    ["log_writer.c", SYNC, ""],
    ["log_writer.c", "            writer_commit(self);\n            log_retention_sweep", "            writer_commit(self);\n            self->os->fdatasync(self->os->context, self->writer.segment.file);\n            log_retention_sweep"]],
  "the folder is not synced": [["log_segment.c", "if (os->fsync(os->context, folder) == 0)", "if (folder >= 0)"]],
  "the header is not synced": [["log_segment.c", "return os->fsync(os->context, self->file) == 0 ? 0 : errno;", "return 0;"]],
  "payloads are not checked": [["log_scan.c", "return sum == found->frame.payload_crc ?", "return sum != 1 ?"]],
  "record headers are not checked": [["log_frame.c", "if (frame_get32(in + FRAME_HEADER_CRC) != crc32c(salt, slice_of(in + 4, LOG_FRAME_HEADER_BYTES - 4)))\n        return false;", "(void)salt;"]],
  "the header's checksum begins too late": [
    ["log_frame.c", "crc32c(salt, slice_of(out + 4, LOG_FRAME_HEADER_BYTES - 4))", "crc32c(salt, slice_of(out + 16, LOG_FRAME_HEADER_BYTES - 16))"],
    ["log_frame.c", "crc32c(salt, slice_of(in + 4, LOG_FRAME_HEADER_BYTES - 4))", "crc32c(salt, slice_of(in + 16, LOG_FRAME_HEADER_BYTES - 16))"]],
  "a torn tail is taken": [["log_recover.c", "if (status == LOG_SCAN_RECORD) {", "if (status != LOG_SCAN_ERROR) {"]],
  "a torn tail is not cut": [["log_recover.c", "os->ftruncate(os->context, file, (off_t)tail->end) == 0 ? 0 : errno", "0"]],
  "the last commit is not written again": [["log_recover.c", "failure = recover_write_again(os, file, tail->batch, tail->end, block);", "failure = recover_write_again(os, file, tail->end, tail->end, block);"]],
  "a poisoned segment is used on": [["log_writer.c", "strerror(failure));\n    writer_leave_segment(self);", "strerror(failure));"]],
  "a segment of unsure name is used on": [["log_recover.c", "if (tail.records == 0 || self->log->read_only)", "if (self->log->read_only)"]],
  "a closed segment is cut too far": [["log_writer.c", "log_segment_close(segment, self->os, segment_offset(segment, atomic_load(&self->durable)));", "log_segment_close(segment, self->os, segment_offset(segment, atomic_load(&self->durable)) - 8);"]],
  "one header copy": [["log_segment.c", "memcpy(block + LOG_HEADER_SECOND_COPY, block, LOG_HEADER_COPY_BYTES);", ""]],
};

const at = process.argv.indexOf("--only"), only = at < 0 ? undefined : process.argv[at + 1];
const work = realpathSync(mkdtempSync(join(tmpdir(), "vitrace-mutants."))), tree = join(work, "tree"), build = join(work, "build");
const run = (command, args, options = {}) => spawnSync(command, args, { encoding: "utf8", timeout: 400_000, ...options });

function prepare() {
  const left = new Set(["build", "node_modules", ".git", "dist", "corpus"]);
  cpSync(".", tree, { recursive: true, dereference: false, filter: (from) => !left.has(basename(from)) || from.endsWith("fuzz/corpus") });
  const made = run("cmake", ["-G", "Ninja", "-S", tree, "-B", build, "-DCMAKE_BUILD_TYPE=Debug", `-DVITRACE_NANOPB_DIR=${join(process.cwd(), "build/deps/nanopb")}`]);
  if (made.status !== 0) throw new Error(made.stdout + made.stderr);
}

// The name of the first test that fails; undefined = all pass.
function firstFailure() {
  const built = run("cmake", ["--build", build, "-j", "2", "--target", ...TESTS]);
  if (built.status !== 0) throw new Error(`it does not build: ${built.stdout.slice(-1500)}`);
  return TESTS.find((test) => {
    const { status } = run(join(build, "tests/unit/collector/log", test), [], { cwd: tree, env: { ...process.env, VITRACE_CRASH_SEEDS: "8", VITRACE_MODEL_SEEDS: "60" } });
    return status !== 0;
  });
}

function mutate(edits) {
  const kept = new Map();
  for (const [name, from, to] of edits) {
    const path = join(tree, "collector/log", name), text = readFileSync(path, "utf8");
    if (!kept.has(path)) kept.set(path, text);
    const changed = text.replace(from, () => to);
    if (changed === text) throw new Error(`${name} has no place for it any more`);
    writeFileSync(path, changed);
  }
  return () => { for (const [path, text] of kept) writeFileSync(path, text); };
}

let passed = 0, failed = 0;
const told = (good, line) => { good ? passed++ : failed++; console.log(`${good ? "ok  " : "FAIL"} ${line}`); };
try {
  prepare();
  const sound = firstFailure();
  told(sound === undefined, `without a mistake all tests pass${sound ? `: ${sound} fails` : ""}`);
  for (const [name, edits] of Object.entries(MUTANTS)) {
    if (only !== undefined && only !== name) continue;
    let restore = () => {};
    try {
      restore = mutate(edits);
      const found = firstFailure();
      told(found !== undefined, `${name}: ${found ? `found by ${found}` : "found by nobody"}`);
    } catch (error) {
      told(false, `${name}: ${error.message}`);
    }
    restore();
  }
} finally {
  if (existsSync(work)) rmSync(work, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
