// What the files of dist/ weigh, as built and compressed.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/** What a page with the tag downloads: the first before the observers are live, the others after its load event. */
export const TAG_FILES = ["vitrace.js", "vitrace-bridge.js", "vitrace.wasm"];
/** With data-trace; where Wasm is refused; with data-offline; with the first press of a person, and on isolated pages; for whoever asks what is sent; where a site serves the worker itself; the npm package. */
const OTHER_FILES = ["vitrace-trace.js", "vitrace-raw.js", "vitrace-offline.js", "vitrace-extra.js", "vitrace-debug.js", "vitrace-worker.js", "vitrace.mjs", "react-router.mjs", "vue-router.mjs", "next.mjs"];

function sizeOf(file) {
  const bytes = readFileSync(file);
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  return { raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotli.length };
}

/** By file, those that exist, and "tag": all that a page with the tag downloads. */
export function sizesOf(dist) {
  const found = [...TAG_FILES, ...OTHER_FILES].filter((name) => existsSync(join(dist, name)));
  const sizes = Object.fromEntries(found.map((name) => [name, sizeOf(join(dist, name))]));
  const tag = { raw: 0, gzip: 0, brotli: 0 };
  for (const name of TAG_FILES) for (const unit of Object.keys(tag)) tag[unit] += sizes[name]?.[unit] ?? 0;
  return { ...sizes, tag };
}
