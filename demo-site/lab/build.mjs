// Bundles every subject and writes what a page downloads for each: dist/sizes.json.
import { build } from "esbuild";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { SUBJECTS, bundle, filesOf, folder, sizesFile, source } from "./subjects.mjs";

mkdirSync(folder, { recursive: true });
const versions = JSON.parse(readFileSync(new URL("package.json", import.meta.url))).devDependencies;
for (const subject of SUBJECTS.filter(({ entry }) => entry)) {
  await build({ entryPoints: [source(subject.entry)], outfile: bundle(subject.name), bundle: true, minify: true, format: "iife",
    target: "es2022", logLevel: "error", define: { "process.env.NODE_ENV": '"production"' } });
}

const sizes = { versions, subjects: {} };
for (const subject of SUBJECTS) {
  const total = { raw: 0, gzip: 0, brotli: 0 };
  for (const path of filesOf(subject)) {
    const bytes = readFileSync(path);
    total.raw += bytes.length;
    total.gzip += gzipSync(bytes, { level: 9 }).length;
    total.brotli += brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
  }
  sizes.subjects[subject.name] = total;
}
writeFileSync(sizesFile, JSON.stringify(sizes, null, 2));
console.table(sizes.subjects);
