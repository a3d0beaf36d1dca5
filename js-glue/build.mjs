// Builds dist/ and prints what it weighs. The core comes from the CMake preset `wasm`; VITRACE_WASM names another one.
// --analyze: what each source file contributes to each bundle.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { analyzeMetafile, build } from "esbuild";
import { MANGLED } from "./mangled.mjs";
import { schemaOf } from "./schema.mjs";
import { sizesOf } from "./sizes.mjs";

const top = dirname(fileURLToPath(import.meta.url));
const dist = join(top, "dist");
const wasm = process.env.VITRACE_WASM ?? join(top, "../build/wasm/vitrace.wasm");
const { version } = JSON.parse(readFileSync(join(top, "package.json"), "utf8"));

// Everything in these runs at once or soon: Chromium then compiles it aside while it loads, not on the main thread call by
// call, which is a third of the start. Other browsers read a comment.
const COMPILE_HINT = "//# allFunctionsCalledOnLoad";

/** Published under these names, each a file of its own that imports the package. */
const FRAMEWORKS = { "react-router": "react_router", "vue-router": "vue_router", next: "next" };

/** What vitrace.js has already (src/shared.ts), a part that it loads takes from there. */
function takeShared() {
  const list = readFileSync(join(top, "src/shared.ts"), "utf8");
  const modules = new Map([...list.matchAll(/import (.*) from "\.\/(.*)"/g)].map(([, names, name]) => [join(top, "src", name), names]));
  const names = /shared = \[([^\]]*)\]/.exec(list)[1];
  return {
    name: "shared",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
        const module = join(resolveDir, path);
        return modules.has(module) ? { path: module, namespace: "some", sideEffects: false } : undefined;
      });
      onResolve({ filter: /^shared$/ }, ({ path }) => ({ path, namespace: "shared" }));
      // What is named goes before what a star exports: the rest of the module is its own.
      onLoad({ filter: /.*/, namespace: "some" }, ({ path }) => ({
        contents: `export ${modules.get(path)} from "shared"; export * from ${JSON.stringify(path + ".ts")};`,
        resolveDir: top,
      }));
      // In a worker there is no document, and nothing of this is called.
      onLoad({ filter: /.*/, namespace: "shared" }, () => ({
        contents: `export const [${names}] = globalThis.document?.currentScript.vitrace?.basis ?? [];`,
      }));
    },
  };
}

/** What all bundles have in common. */
const SETTINGS = {
  bundle: true,
  minify: true,
  target: ["es2022"],
  legalComments: "none",
  mangleProps: RegExp(`^(_[a-z].*|${MANGLED.join("|")})$`),
  reserveProps: /^_initialize$/,
  external: ["vitrace"],
  // Inside of the try block that a file is, a directive would say nothing.
  tsconfigRaw: { compilerOptions: { target: "ES2022", alwaysStrict: false } },
  absWorkingDir: top,
};

/** Which short name each property gets, as if all were one file, and a text that is another one when what crosses is. */
async function handOver() {
  const entryPoints = ["tag", "bridge_file", "trace_file", "raw_file", "offline_file", "extra_file", "debug_file"].map((name) => `src/${name}.ts`);
  const { mangleCache } = await build({ ...SETTINGS, entryPoints, outdir: dist, write: false, mangleCache: {} });
  const sources = ["shared", "watch", "hand_over"].map((name) => readFileSync(join(top, `src/${name}.ts`), "utf8"));
  const digest = createHash("sha256").update(JSON.stringify([version, mangleCache, ...sources])).digest("hex");
  return { mangleCache, VITRACE_HAND_OVER: JSON.stringify(digest.slice(0, 8)) };
}
const { mangleCache, VITRACE_HAND_OVER } = await handOver();

async function bundle(entry, outfile, format, define = {}, plugins = []) {
  const { metafile } = await build({
    ...SETTINGS,
    entryPoints: [entry],
    outfile,
    format,
    mangleCache,
    plugins,
    define: { VITRACE_VERSION: JSON.stringify(version), VITRACE_HAND_OVER, ...define },
    metafile: true,
    // A page may have broken what a script needs to begin: it must not see our error.
    ...(format === "iife" ? { banner: { js: `${COMPILE_HINT}\ntry{` }, footer: { js: "}catch{}" } } : {}),
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
    for (const [name, file] of Object.entries(FRAMEWORKS)) copyFileSync(join(out, "frameworks", `${file}.d.ts`), join(dist, `${name}.d.ts`));
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
// A file that loads another one knows its digest: the loaded one is built first.
await bundle("src/debug_file.ts", "dist/vitrace-debug.js", "iife", {
  VITRACE_SCHEMA: JSON.stringify(schemaOf(join(top, "../proto/vitrace/v1/beacon.proto"))),
}, [takeShared()]);
for (const part of ["raw", "offline", "extra"]) await bundle(`src/${part}_file.ts`, `dist/vitrace-${part}.js`, "iife", {}, [takeShared()]);
const digests = {
  VITRACE_DEBUG_SRI: integrityOf(join(dist, "vitrace-debug.js")),
  VITRACE_RAW_SRI: integrityOf(join(dist, "vitrace-raw.js")),
  VITRACE_EXTRA_SRI: integrityOf(join(dist, "vitrace-extra.js")),
  VITRACE_OFFLINE_SRI: integrityOf(join(dist, "vitrace-offline.js")),
};
await bundle("src/bridge_file.ts", "dist/vitrace-bridge.js", "iife", digests, [takeShared()]);
await bundle("src/trace_file.ts", "dist/vitrace-trace.js", "iife", {}, [takeShared()]);
await bundle("src/worker/file.ts", "dist/vitrace-worker.js", "iife");
await bundle("src/index.ts", "dist/vitrace.mjs", "esm", digests);
for (const [name, file] of Object.entries(FRAMEWORKS)) await bundle(`src/frameworks/${file}.ts`, `dist/${name}.mjs`, "esm");
// Last: the tag knows the digests of the files that it loads.
await bundle("src/tag.ts", "dist/vitrace.js", "iife", {
  VITRACE_BRIDGE_SRI: integrityOf(join(dist, "vitrace-bridge.js")),
  VITRACE_TRACE_SRI: integrityOf(join(dist, "vitrace-trace.js")),
  VITRACE_WASM_SRI: existsSync(wasm) ? integrityOf(wasm) : '""',
});
types();
printSizes();
