// The catalog service: goods, carts, orders and the flash sale, behind JSON over HTTP. Only `web` talks to it.
// Environment: CATALOG_PORT (8090), CATALOG_DATABASE (shop.sqlite).
import http from "node:http";
import { compileRoutes, findRoute, HttpError, nameServerSpan, readJson, wholeNumber } from "../router.mjs";
import { endOnSignal, listen } from "../process_life.mjs";
import { Database, meterSql } from "./database.mjs";
import { addToCart, placeOrder, readCart } from "./orders.mjs";
import { findProduct, listProducts, listReviews, search, suggest } from "./products.mjs";
import { Sale } from "./sale.mjs";
import { prepareSchema } from "./schema.mjs";

const database = new Database(process.env.CATALOG_DATABASE ?? "shop.sqlite");
prepareSchema(database);
const sale = new Sale(database);

const productId = (params) => wholeNumber(params.id, { min: 1, max: 10_000, name: "id" });
const words = (url) => (url.searchParams.get("q") ?? "").slice(0, 60);

const routes = compileRoutes([
  ["GET", "/products", () => listProducts(database)],
  ["GET", "/products/:id", ({ params }) => findProduct(database, productId(params))],
  ["GET", "/products/:id/reviews", ({ params }) => listReviews(database, productId(params))],
  ["GET", "/search", ({ url }) => search(database, words(url))],
  ["GET", "/suggest", ({ url }) => suggest(database, words(url))],
  ["GET", "/carts/:cart", ({ params }) => readCart(database, params.cart)],
  ["POST", "/carts/:cart", async ({ params, request }) => {
    const body = await readJson(request);
    const id = findProduct(database, productId(body)).id;
    return addToCart(database, params.cart, id, wholeNumber(body.quantity ?? 1, { min: 1, max: 9, name: "quantity" }));
  }],
  ["POST", "/carts/:cart/order", ({ params }) => placeOrder(database, params.cart)],
  ["GET", "/sale", () => sale.list()],
  ["POST", "/sale/:id", ({ params }) => sale.buy(productId(params))],
]);

async function answer(request) {
  const url = new URL(request.url, "http://catalog");
  const found = findRoute(routes, request.method, url.pathname);
  if (!found) throw new HttpError(404, "no such route");
  nameServerSpan(request.method, found.route.path);
  return meterSql(() => found.route.handle({ request, url, params: found.params }));
}

async function serve(request, response) {
  let status = 200, headers = {}, body;
  try {
    const { result, sqlMs } = await answer(request);
    body = result;
    headers = { "Server-Timing": `db;dur=${sqlMs.toFixed(3)}` };
  } catch (error) {
    status = error.status ?? 500;
    headers = error.headers ?? {};
    body = { error: error.status ? error.message : "internal error" };
    if (!error.status) console.error(`catalog: ${request.method} ${request.url}: ${error.stack}`);
  }
  response.writeHead(status, { ...headers, "Content-Type": "application/json" });
  response.end(JSON.stringify(body));
}

const server = http.createServer((request, response) => {
  if (request.url === "/_ready") return void response.end("ready\n");
  serve(request, response);
});
const port = await listen(server, Number(process.env.CATALOG_PORT ?? 8090));
endOnSignal([server], () => database.close());
console.log(`catalog: http://127.0.0.1:${port}`);
