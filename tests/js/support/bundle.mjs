// The SDK's own sources, bundled on the fly: tests run what the page would run.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { webcrypto } from "node:crypto";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const top = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const glue = join(top, "js-glue");
const { build } = createRequire(join(glue, "package.json"))("esbuild");

// Node 18 has no global crypto, 18 and 20 have no navigator.
globalThis.crypto ??= webcrypto;
globalThis.navigator ??= {};

const folder = mkdtempSync(join(tmpdir(), "vitrace-js-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
let count = 0;

/** load("bridge/batch", ...): the exports of js-glue/src/bridge/batch.ts ... in one bundle, const enums included. */
export async function load(...names) {
  const contents = names.map((name) => `export * from "./src/${name}";`).join("\n");
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: glue, loader: "ts" },
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
    define: { VITRACE_VERSION: '"0.0.0-test"' },
  });
  const file = join(folder, `${count++}.mjs`);
  writeFileSync(file, outputFiles[0].contents);
  return import(pathToFileURL(file).href);
}

/** A script, named from this folder, with what it imports, as a page would run it. */
export async function pageScript(name) {
  const entry = join(dirname(fileURLToPath(import.meta.url)), name);
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: "iife", target: "es2022", write: false });
  return outputFiles[0].text;
}
