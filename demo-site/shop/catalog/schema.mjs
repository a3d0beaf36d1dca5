// Tables and the goods in them. The purchase history is made by SQL from a fixed recurrence, so every fresh shop holds
// the same rows and its slow query has the same amount of work to do.
import { context } from "@opentelemetry/api";
import { core } from "@opentelemetry/sdk-node";

const HISTORY_ROWS = 45000;
const BASKET_COUNT = 450;

const GOODS = [
  ["Fjord pendant", "lamp", 12900, 204, "Hand-blown glass that pours light straight down onto the table."],
  ["Dune floor lamp", "lamp", 18900, 34, "A linen shade on a bent oak stem, dimmable to a candle's worth."],
  ["Pebble night light", "lamp", 3900, 262, "Rounded ceramic, warm enough to read the clock and no more."],
  ["Harbour lantern", "lamp", 7400, 12, "Brass and storm glass, for terraces that see weather."],
  ["Moss armchair", "chair", 42900, 142, "Deep wool seat with a back that forgives long evenings."],
  ["Quarry stool", "chair", 9900, 28, "Solid ash, three legs, never wobbles."],
  ["Meridian rocker", "chair", 35900, 350, "Steam-bent beech on runners as quiet as carpet."],
  ["Tide bench", "chair", 21900, 190, "Seats two by the door while the boots come off."],
  ["Fern vase", "vase", 4900, 110, "Pressed green glass with a narrow neck for single stems."],
  ["Ember jug", "vase", 5900, 8, "Red stoneware that pours without a drip."],
  ["Cloud bowl", "vase", 6400, 216, "Wide porcelain, a place for keys and pears."],
  ["Ink bottle", "vase", 2900, 244, "Small, dark and square-shouldered. Holds one sprig."],
];
// product, stock, price of the flash sale
const SALE = [[4, 40, 4900], [8, 40, 14900], [12, 40, 1900]];

const TABLES = `
  CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, cents INTEGER NOT NULL,
                         hue INTEGER NOT NULL, about TEXT NOT NULL);
  CREATE TABLE reviews (product_id INTEGER NOT NULL, stars INTEGER NOT NULL, text TEXT NOT NULL);
  CREATE TABLE history (basket INTEGER NOT NULL, product_id INTEGER NOT NULL, cents INTEGER NOT NULL);
  CREATE TABLE cart_lines (cart TEXT NOT NULL, product_id INTEGER NOT NULL, quantity INTEGER NOT NULL,
                           PRIMARY KEY (cart, product_id));
  CREATE TABLE orders (id INTEGER PRIMARY KEY, cart TEXT NOT NULL, cents INTEGER NOT NULL, placed_unix_ms INTEGER NOT NULL);
  CREATE TABLE sale_items (product_id INTEGER PRIMARY KEY, stock INTEGER NOT NULL, cents INTEGER NOT NULL);
  CREATE TABLE sale_orders (id INTEGER PRIMARY KEY, product_id INTEGER NOT NULL, placed_unix_ms INTEGER NOT NULL);`;

const REVIEW_TEXTS = ["Better than the photographs.", "Arrived in a day, well packed.", "My neighbour bought one too.",
  "Lovely, a shade smaller than I thought.", "Would buy again without thinking."];

function fillProducts(database) {
  GOODS.forEach(([name, kind, cents, hue, about], index) => {
    database.run("INSERT products", "INSERT INTO products VALUES (?, ?, ?, ?, ?, ?)", [index + 1, name, kind, cents, hue, about]);
    for (let review = 0; review < 3; review++) {
      const text = REVIEW_TEXTS[(index * 3 + review * 2) % REVIEW_TEXTS.length];
      database.run("INSERT reviews", "INSERT INTO reviews VALUES (?, ?, ?)", [index + 1, 5 - ((index + review) % 3), text]);
    }
  });
}

function fillHistory(database) {
  database.run("INSERT history", `
    WITH RECURSIVE line(n, seed) AS (
      SELECT 1, 12345 UNION ALL SELECT n + 1, (seed * 1103515245 + 12345) % 2147483648 FROM line WHERE n < ${HISTORY_ROWS})
    INSERT INTO history
      SELECT n % ${BASKET_COUNT}, 1 + (seed / 65536) % ${GOODS.length}, 1000 + (seed / 1024) % 40000 FROM line`);
}

// Filling an empty shop is no request of anybody's, hence no traces.
export function prepareSchema(database) {
  context.with(core.suppressTracing(context.active()), () => createWhenEmpty(database));
}

function createWhenEmpty(database) {
  const found = database.get("SELECT sqlite_master", "SELECT count(*) AS count FROM sqlite_master WHERE name = 'sale_items'");
  if (found.count > 0) return;
  database.exec("BEGIN");
  database.exec(TABLES);
  fillProducts(database);
  fillHistory(database);
  restock(database);
  database.exec("COMMIT");
}

export function restock(database) {
  for (const row of SALE) database.run("INSERT sale_items", "INSERT OR REPLACE INTO sale_items VALUES (?, ?, ?)", row);
}
