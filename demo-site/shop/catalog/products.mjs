// Reading the goods. `search` is the deliberately slow one.
import { HttpError } from "../router.mjs";

const PRODUCT_COLUMNS = "id, name, kind, cents, hue, about";

export function listProducts(database) {
  return database.all("SELECT products", `SELECT ${PRODUCT_COLUMNS} FROM products ORDER BY id`);
}

export function findProduct(database, id) {
  const product = database.get("SELECT products", `SELECT ${PRODUCT_COLUMNS} FROM products WHERE id = ?`, [id]);
  if (!product) throw new HttpError(404, "no such product");
  return product;
}

export function listReviews(database, id) {
  return database.all("SELECT reviews", "SELECT stars, text FROM reviews WHERE product_id = ? ORDER BY stars DESC", [id]);
}

export function suggest(database, words) {
  return database.all("SELECT products",
    "SELECT id, name FROM products WHERE name LIKE '%' || ? || '%' OR kind LIKE ? || '%' ORDER BY name LIMIT 6", [words, words]);
}

// The query every shop has: ranks the hits by how often they were bought together with anything else, over the whole
// history, with no index to help. It takes about a quarter of a second inside SQLite, and the page waits for it.
export function search(database, words) {
  return database.all("SELECT history", `
    SELECT p.id, p.name, p.kind, p.cents, p.hue, p.about, count(*) AS bought_together, sum(other.cents) AS turnover
    FROM products p
    JOIN history mine ON mine.product_id = p.id
    JOIN history other ON other.basket = mine.basket AND other.product_id <> mine.product_id
    WHERE p.name LIKE '%' || ? || '%' OR p.about LIKE '%' || ? || '%' OR p.kind LIKE '%' || ? || '%'
    GROUP BY p.id ORDER BY turnover DESC`, [words, words, words]);
}
