// What the SDK weighs, against js-glue/size-budget.json. Needs js-glue/dist: npm run build there.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sizesOf } from "../../js-glue/sizes.mjs";
import { top } from "./support/bundle.mjs";

const dist = join(top, "js-glue/dist");
const { files } = JSON.parse(readFileSync(join(top, "js-glue/size-budget.json"), "utf8"));
const skip = !existsSync(join(dist, "vitrace.wasm")) && "js-glue/dist is not built";

test("no file is over its budget", { skip }, () => {
  const sizes = sizesOf(dist);
  const over = Object.entries(files).filter(([name, { budget }]) => !(sizes[name]?.brotli <= budget));
  assert.deepEqual(over.map(([name, { budget }]) => `${name}: ${sizes[name]?.brotli} of ${budget}`), []);
});

test("every file that is built has a budget, and no budget leaves room to grow unseen", { skip }, () => {
  for (const [name, { brotli }] of Object.entries(sizesOf(dist))) {
    assert.ok(files[name], `${name} has no budget`);
    // The core is built elsewhere and may shrink first.
    if (!/wasm|tag/.test(name)) assert.ok(files[name].budget <= brotli * 1.05 + 16, `${name} is ${brotli}: lower its budget of ${files[name].budget}`);
  }
});

test("the page waits for at most 4 kB before its observers are live", { skip }, () => {
  assert.ok(sizesOf(dist)["vitrace.js"].brotli <= 4000);
});
