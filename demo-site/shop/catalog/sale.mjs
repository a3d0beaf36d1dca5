// The flash sale: many buyers, few goods, and the three things a backend does about it.
//
//   buyer --> stock in the cache?  0 --> 409 sold out, no lock taken
//                  |
//             queue for the item's lock --- more than WAITERS_MAX waiting --> 429, Retry-After
//                  |
//             read stock, hold it while the warehouse confirms, write, forget the cached stock, unlock
//
// Each step is a span, so the waterfall of a slow purchase tells waiting (lock) from working (warehouse, SQL).
import { SpanStatusCode, trace } from "@opentelemetry/api";
import { HttpError } from "../router.mjs";
import { restock } from "./schema.mjs";

const WAITERS_MAX = 3;
const WAREHOUSE_MS = 70;
const STOCK_FRESH_MS = 400;
const RESTOCK_AFTER_MS = 20_000;
const RETRY_AFTER_S = 1;

const tracer = trace.getTracer("catalog.sale");
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// First come, first served; bounded, because a queue without end only moves the timeout to the browser.
class ItemLock {
  #tail = Promise.resolve();
  #waiting = 0;

  async hold(work) {
    if (this.#waiting > WAITERS_MAX) throw new HttpError(429, "too many buyers at once", { "Retry-After": String(RETRY_AFTER_S) });
    this.#waiting++;
    const before = this.#tail;
    let unlock;
    this.#tail = new Promise((resolve) => { unlock = resolve; });
    try {
      await traced("lock sale_item", { "shop.lock.waiting": this.#waiting - 1 }, () => before);
      return await work();
    } finally {
      this.#waiting--;
      unlock();
    }
  }
}

function traced(name, attributes, work) {
  return tracer.startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
      throw error;
    } finally {
      span.end();
    }
  });
}

export class Sale {
  #database;
  #locks = new Map();
  #stockCache = new Map();
  #soldOutSince = 0;

  constructor(database) {
    this.#database = database;
  }

  list() {
    this.#restockWhenDue();
    return this.#database.all("SELECT sale_items", `
      SELECT p.id, p.name, p.kind, p.hue, p.cents AS full_cents, s.cents, s.stock
      FROM sale_items s JOIN products p ON p.id = s.product_id ORDER BY p.id`);
  }

  async buy(productId) {
    this.#restockWhenDue();
    if ((await this.#cachedStock(productId)) === 0) throw new HttpError(409, "sold out");
    if (!this.#locks.has(productId)) this.#locks.set(productId, new ItemLock());
    return this.#locks.get(productId).hold(() => this.#buyLocked(productId));
  }

  async #buyLocked(productId) {
    const { stock } = this.#readStock(productId);
    if (stock === 0) throw new HttpError(409, "sold out");
    await traced("confirm warehouse", { "shop.product.id": productId }, () => wait(WAREHOUSE_MS));
    this.#database.run("UPDATE sale_items", "UPDATE sale_items SET stock = stock - 1 WHERE product_id = ?", [productId]);
    this.#database.run("INSERT sale_orders", "INSERT INTO sale_orders (product_id, placed_unix_ms) VALUES (?, ?)", [productId, Date.now()]);
    this.#stockCache.delete(productId);
    if (stock === 1) this.#soldOutSince = Date.now();
    return { bought: productId, left: stock - 1 };
  }

  #cachedStock(productId) {
    return traced("cache stock", {}, (span) => {
      const cached = this.#stockCache.get(productId);
      const hit = cached !== undefined && Date.now() - cached.at < STOCK_FRESH_MS;
      span.setAttribute("shop.cache.hit", hit);
      if (hit) return cached.stock;
      const { stock } = this.#readStock(productId);
      this.#stockCache.set(productId, { stock, at: Date.now() });
      return stock;
    });
  }

  #readStock(productId) {
    const row = this.#database.get("SELECT sale_items", "SELECT stock FROM sale_items WHERE product_id = ?", [productId]);
    if (!row) throw new HttpError(404, "not in the sale");
    return row;
  }

  // A demo that stays sold out shows nothing; the next lot arrives a little later.
  #restockWhenDue() {
    if (this.#soldOutSince === 0 || Date.now() - this.#soldOutSince < RESTOCK_AFTER_MS) return;
    this.#soldOutSince = 0;
    restock(this.#database);
    this.#stockCache.clear();
  }
}
