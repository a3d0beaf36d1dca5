// The web service: documents, pictures, static files and the API that pages call; everything it knows it asks the
// catalog. One program, two listeners: plain, and cross-origin isolated.
// Environment: SHOP_PORT (8080), SHOP_ISOLATED_PORT (8081), CATALOG_URL, VITRACE_COLLECTOR, SHOP_CACHE.
import { randomUUID } from "node:crypto";
import http from "node:http";
import { fileURLToPath } from "node:url";
import { compileRoutes, findRoute, HttpError, nameServerSpan, readJson, wholeNumber } from "../router.mjs";
import { endOnSignal, listen } from "../process_life.mjs";
import { CatalogClient } from "./catalog_client.mjs";
import { Exchange } from "./exchange.mjs";
import { Files } from "./files.mjs";
import { renderPage } from "./layout.mjs";
import { Ledger } from "./ledger.mjs";
import { cartPage, checkoutPage, errorPage, homePage, productPage, salePage, searchPage } from "./pages.mjs";

const collector = process.env.VITRACE_COLLECTOR ?? "http://127.0.0.1:4319";
const folder = (path) => fileURLToPath(new URL(path, import.meta.url));
const files = new Files(folder("../assets"), process.env.SHOP_CACHE ?? folder("../../.cache"));
const catalog = new CatalogClient(process.env.CATALOG_URL ?? "http://127.0.0.1:8090");
const ledger = new Ledger();

const CART = /^[0-9a-f-]{36}$/;
const cartOf = (exchange) => (CART.test(exchange.cookies.cart ?? "") ? exchange.cookies.cart : undefined);
const idOf = ({ params }) => wholeNumber(params.id, { min: 1, max: 10_000, name: "id" });
const encode = encodeURIComponent;

function sendPage(exchange, page, status = 200) {
  const cart = cartOf(exchange) ? {} : { "Set-Cookie": `cart=${randomUUID()}; Path=/; SameSite=Lax; HttpOnly` };
  // no-cache and not no-store: the page stays eligible for the back/forward cache.
  const headers = { "Cache-Control": "no-cache", ...cart };
  exchange.replyHtml(status, renderPage({ ...page, collector, path: exchange.url.pathname }), headers);
}

const readCart = async (exchange) =>
  cartOf(exchange) ? catalog.get(exchange, `/carts/${cartOf(exchange)}`) : { lines: [], cents: 0 };

// Passes the catalog's answer through: a 429 with its Retry-After is an answer, not a failure.
async function relay(exchange, method, path, body) {
  const { status, headers, json } = await catalog.ask(exchange, method, path, body);
  exchange.replyJson(status, json, headers["retry-after"] ? { "Retry-After": headers["retry-after"] } : {});
}

function needCart(exchange) {
  const cart = cartOf(exchange);
  if (!cart) throw new HttpError(400, "no cart cookie");
  return cart;
}

const routes = compileRoutes([
  ["GET", "/", (exchange) => sendPage(exchange, homePage())],
  ["GET", "/p/:id", async (exchange) => sendPage(exchange, productPage(await catalog.get(exchange, `/products/${idOf(exchange)}`)))],
  ["GET", "/search", async (exchange) => {
    const words = (exchange.url.searchParams.get("q") ?? "").slice(0, 60);
    sendPage(exchange, searchPage(words, await catalog.get(exchange, `/search?q=${encode(words)}`)));
  }],
  ["GET", "/sale", async (exchange) => sendPage(exchange, salePage(await catalog.get(exchange, "/sale")))],
  ["GET", "/cart", async (exchange) => sendPage(exchange, cartPage(await readCart(exchange)))],
  ["GET", "/checkout", async (exchange) => sendPage(exchange, checkoutPage(await readCart(exchange), exchange.traceparent))],

  ["GET", "/static/:name", (exchange) => files.serve(exchange, exchange.params.name)],
  ["GET", "/img/:id.svg", async (exchange) => files.serveProduct(exchange, await catalog.get(exchange, `/products/${idOf(exchange)}`))],

  ["GET", "/api/products", (exchange) => relay(exchange, "GET", "/products")],
  ["GET", "/api/products/:id", (exchange) => relay(exchange, "GET", `/products/${idOf(exchange)}`)],
  ["GET", "/api/products/:id/reviews", (exchange) => relay(exchange, "GET", `/products/${idOf(exchange)}/reviews`)],
  ["GET", "/api/suggest", (exchange) => relay(exchange, "GET", `/suggest?q=${encode(exchange.url.searchParams.get("q") ?? "")}`)],
  ["POST", "/api/seen/:id", (exchange) => exchange.replyJson(202, { seen: idOf(exchange) })],
  ["POST", "/api/cart", async (exchange) => relay(exchange, "POST", `/carts/${needCart(exchange)}`, await readJson(exchange.request))],
  ["POST", "/api/orders", (exchange) => relay(exchange, "POST", `/carts/${needCart(exchange)}/order`)],
  ["POST", "/api/sale/:id", (exchange) => relay(exchange, "POST", `/sale/${idOf(exchange)}`)],
]);

function fail(exchange, error) {
  const status = error.status ?? 500;
  const message = error.status ? error.message : "internal error";
  if (!error.status) console.error(`web: ${exchange.request.method} ${exchange.request.url}: ${error.stack}`);
  if (exchange.url.pathname.startsWith("/api/")) return exchange.replyJson(status, { error: message }, error.headers);
  sendPage(exchange, errorPage(status, message), status);
}

async function serve(request, response, listener) {
  const url = new URL(request.url, "http://shop");
  const found = findRoute(routes, request.method, url.pathname);
  const route = found?.route.path ?? "/*";
  const span = nameServerSpan(request.method, route);
  const closeEntry = ledger.open({ request, listener, path: url.pathname, route, span });
  const exchange = new Exchange({ request, response, url, params: found?.params, span, isolated: listener === "isolated", closeEntry });
  try {
    if (!found) throw new HttpError(404, "no such page");
    await found.route.handle(exchange);
  } catch (error) {
    fail(exchange, error);
  }
}

// Not part of the shop, hence not traced: readiness, and the ledger that the check reads.
function serveMachinery(request, response) {
  const url = new URL(request.url, "http://shop");
  if (url.pathname === "/_ready") {
    response.writeHead(200, { "Content-Type": "text/html" }); // names its icon, or a browser would ask for /favicon.ico
    return void response.end('<link rel="icon" href="data:,">ready\n');
  }
  if (url.pathname !== "/_ledger") return void response.writeHead(404).end();
  response.writeHead(200, { "Content-Type": "application/json" });
  response.end(JSON.stringify(ledger.read(Number(url.searchParams.get("since") ?? 0))));
}

const serverFor = (listener) => http.createServer((request, response) => {
  if (request.url.startsWith("/_")) return serveMachinery(request, response);
  serve(request, response, listener);
});

const plain = serverFor("plain"), isolated = serverFor("isolated");
const plainPort = await listen(plain, Number(process.env.SHOP_PORT ?? 8080));
const isolatedPort = await listen(isolated, Number(process.env.SHOP_ISOLATED_PORT ?? 8081));
endOnSignal([plain, isolated], () => catalog.close());
console.log(`web: http://127.0.0.1:${plainPort} plain, http://127.0.0.1:${isolatedPort} isolated`);
