// Builds dist/ and prints what it weighs. The core comes from the CMake preset `wasm`; VITRACE_WASM names another one.
// --analyze: what each source file contributes to each bundle.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { analyzeMetafile, build } from "esbuild";
import { sizesOf } from "./sizes.mjs";

const top = dirname(fileURLToPath(import.meta.url));
const dist = join(top, "dist");
const wasm = process.env.VITRACE_WASM ?? join(top, "../build/wasm/vitrace.wasm");
const { version } = JSON.parse(readFileSync(join(top, "package.json"), "utf8"));

// Everything in these runs at once or soon: Chromium then compiles it aside while it loads, not on the main thread call by
// call, which is a third of the start. Other browsers read a comment.
const COMPILE_HINT = "//# allFunctionsCalledOnLoad";

// What only some pages need the npm package imports from files of their own.
const PARTS_ARE_FILES = {
  name: "parts",
  setup({ onResolve }) {
    onResolve({ filter: /\/start_(raw|offline)$/ }, ({ path, kind }) =>
      kind === "dynamic-import" ? { path: `./vitrace-${path.split("_").pop()}.mjs`, external: true } : undefined,
    );
  },
};

async function bundle(entry, outfile, format, define = {}) {
  const { metafile } = await build({
    entryPoints: [entry],
    outfile,
    format,
    bundle: true,
    minify: true,
    target: ["es2022"],
    legalComments: "none",
    // Private members start with an underscore. Names that cross bundles do not: each bundle is mangled by itself.
    mangleProps: /^_[a-z]/,
    reserveProps: /^_initialize$/,
    define: { VITRACE_VERSION: JSON.stringify(version), ...define },
    absWorkingDir: top,
    metafile: true,
    plugins: [PARTS_ARE_FILES],
    banner: format === "iife" ? { js: COMPILE_HINT } : {},
  });
  if (process.argv.includes("--analyze")) console.log(await analyzeMetafile(metafile));
}

function integrityOf(file) {
  return JSON.stringify("sha256-" + createHash("sha256").update(readFileSync(file)).digest("base64"));
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

function printSizes() {
  const row = (name, cells) => console.log(name.padEnd(20) + cells.map((cell) => String(cell).padStart(9)).join(""));
  row("file", ["raw", "gzip", "brotli"]);
  for (const [name, { raw, gzip, brotli }] of Object.entries(sizesOf(dist))) row(name, [raw, gzip, brotli]);
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
if (existsSync(wasm)) {
  copyFileSync(wasm, join(dist, "vitrace.wasm"));
} else {
  console.error(`no ${wasm}: build the CMake preset "wasm" first, or set VITRACE_WASM`);
  process.exitCode = 1;
}
await bundle("src/trace_file.ts", "dist/vitrace-trace.js", "iife");
await bundle("src/worker/file.ts", "dist/vitrace-worker.js", "iife");
for (const part of ["raw", "offline"]) {
  await bundle(`src/${part}_file.ts`, `dist/vitrace-${part}.js`, "iife");
  await bundle(`src/${part}/start_${part}.ts`, `dist/vitrace-${part}.mjs`, "esm");
}
const PARTS = {
  VITRACE_RAW_SRI: integrityOf(join(dist, "vitrace-raw.js")),
  VITRACE_OFFLINE_SRI: integrityOf(join(dist, "vitrace-offline.js")),
};
// Whoever loads a file knows its digest, so it comes after it.
await bundle("src/bridge_file.ts", "dist/vitrace-bridge.js", "iife", PARTS);
await bundle("src/index.ts", "dist/vitrace.mjs", "esm", PARTS);
await bundle("src/tag.ts", "dist/vitrace.js", "iife", {
  VITRACE_BRIDGE_SRI: integrityOf(join(dist, "vitrace-bridge.js")),
  VITRACE_TRACE_SRI: integrityOf(join(dist, "vitrace-trace.js")),
  VITRACE_WASM_SRI: existsSync(wasm) ? integrityOf(wasm) : '""',
});
types();
printSizes();
