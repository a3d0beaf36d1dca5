// Carts and orders. A cart is a random id that the browser holds; nothing here knows a person.
import { HttpError } from "../router.mjs";

export function readCart(database, cart) {
  const lines = database.all("SELECT cart_lines", `
    SELECT p.id, p.name, p.hue, p.kind, p.cents, c.quantity FROM cart_lines c JOIN products p ON p.id = c.product_id
    WHERE c.cart = ? ORDER BY p.id`, [cart]);
  return { lines, cents: lines.reduce((sum, line) => sum + line.cents * line.quantity, 0) };
}

export function addToCart(database, cart, productId, quantity) {
  database.run("INSERT cart_lines", `
    INSERT INTO cart_lines VALUES (?, ?, ?)
    ON CONFLICT (cart, product_id) DO UPDATE SET quantity = min(quantity + excluded.quantity, 99)`, [cart, productId, quantity]);
  return readCart(database, cart);
}

export function placeOrder(database, cart) {
  const { lines, cents } = readCart(database, cart);
  if (lines.length === 0) throw new HttpError(409, "the cart is empty");
  database.exec("BEGIN");
  try {
    database.run("INSERT orders", "INSERT INTO orders (cart, cents, placed_unix_ms) VALUES (?, ?, ?)", [cart, cents, Date.now()]);
    const { id } = database.get("SELECT orders", "SELECT max(id) AS id FROM orders");
    database.run("DELETE cart_lines", "DELETE FROM cart_lines WHERE cart = ?", [cart]);
    database.exec("COMMIT");
    return { order: id, cents };
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}
