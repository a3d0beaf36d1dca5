// Static files and pictures, each through a traced request like any other. They are revalidated on every use (a 304 has
// a fresh trace), except the logo: it comes from the browser's cache and so shows a request that no backend served.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { HttpError } from "../router.mjs";
import { BANNER_DRAWING, LOGO_DRAWING, productDrawing } from "./drawings.mjs";
import { heroImage } from "./hero.mjs";

const TYPES = { ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png" };
const REVALIDATE = "no-cache";
const KEEP = "public, max-age=3600, immutable";

function asset(bytes, type, cacheControl = REVALIDATE) {
  return { bytes, type, cacheControl, etag: `"${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}"` };
}

export class Files {
  #assets = new Map();

  constructor(folder, cacheFolder) {
    for (const name of readdirSync(folder)) this.#assets.set(name, asset(readFileSync(join(folder, name)), TYPES[extname(name)]));
    this.#assets.set("logo.svg", asset(Buffer.from(LOGO_DRAWING), TYPES[".svg"], KEEP));
    this.#assets.set("banner.svg", asset(Buffer.from(BANNER_DRAWING), TYPES[".svg"]));
    this.#assets.set("hero.png", asset(heroImage(cacheFolder), TYPES[".png"]));
  }

  serve(exchange, name) {
    const found = this.#assets.get(name);
    if (!found) throw new HttpError(404, "no such file");
    sendAsset(exchange, found);
  }

  serveProduct(exchange, product) {
    sendAsset(exchange, asset(Buffer.from(productDrawing(product)), TYPES[".svg"]));
  }
}

function sendAsset(exchange, { bytes, type, cacheControl, etag }) {
  const headers = { "Content-Type": type, "Cache-Control": cacheControl, ETag: etag };
  if (exchange.request.headers["if-none-match"] === etag) return exchange.reply(304, headers);
  exchange.reply(200, headers, bytes);
}
