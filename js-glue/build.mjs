// Builds dist/ and prints what it weighs. The core comes from the CMake preset `wasm`; VITRACE_WASM names another one.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const top = dirname(fileURLToPath(import.meta.url));
const dist = join(top, "dist");
const wasm = process.env.VITRACE_WASM ?? join(top, "../build/wasm/vitrace.wasm");
const { version } = JSON.parse(readFileSync(join(top, "package.json"), "utf8"));

const shared = {
  bundle: true,
  minify: true,
  target: ["es2020"],
  legalComments: "none",
  // Private members start with an underscore. Message and option names do not: they cross bundles.
  mangleProps: /^_[a-z]/,
  reserveProps: /^_initialize$/,
  define: { VITRACE_VERSION: JSON.stringify(version) },
  absWorkingDir: top,
};

async function bundles() {
  await Promise.all([
    build({ ...shared, entryPoints: ["src/tag.ts"], format: "iife", outfile: "dist/vitrace.js" }),
    build({ ...shared, entryPoints: ["src/index.ts"], format: "esm", outfile: "dist/vitrace.mjs" }),
    build({ ...shared, entryPoints: ["src/worker/worker.ts"], format: "iife", outfile: "dist/vitrace-worker.js" }),
  ]);
}

// Only what the public signatures name is published.
function types() {
  const out = mkdtempSync(join(tmpdir(), "vitrace-types-"));
  try {
    const tsc = join(top, "node_modules/typescript/bin/tsc");
    execFileSync(process.execPath, [tsc, "-p", top, "--emitDeclarationOnly", "--outDir", out], { stdio: "inherit" });
    for (const name of ["index.d.ts", "types.d.ts"]) copyFileSync(join(out, name), join(dist, name));
  } finally {
    rmSync(out, { recursive: true });
  }
}

function sizes(files) {
  const brotli = (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
  const row = (name, cells) => console.log(name.padEnd(20) + cells.map((cell) => String(cell).padStart(9)).join(""));
  row("file", ["raw", "gzip", "brotli"]);
  const total = [0, 0, 0];
  for (const file of files) {
    const bytes = readFileSync(join(dist, file));
    const cells = [bytes.length, gzipSync(bytes, { level: 9 }).length, brotli(bytes)];
    row(file, cells);
    if (file !== "vitrace.mjs") cells.forEach((cell, i) => (total[i] += cell));
  }
  row("a page loads", total);
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
await bundles();
types();
const files = ["vitrace.js", "vitrace.mjs", "vitrace-worker.js"];
if (existsSync(wasm)) {
  copyFileSync(wasm, join(dist, "vitrace.wasm"));
  files.push("vitrace.wasm");
} else {
  console.error(`no ${wasm}: build the CMake preset "wasm" first, or set VITRACE_WASM`);
  process.exitCode = 1;
}
sizes(files);
