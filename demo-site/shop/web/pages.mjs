// The documents, rendered on the server. Each returns { title, main, script } and what differs from the usual frame.
import { escapeHtml, price } from "./layout.mjs";

const picture = ({ id, name }, size, id_attribute = "") =>
  `<img src="/img/${id}.svg" width="${size}" height="${size}" alt="${escapeHtml(name)}"${id_attribute}>`;

export const productCard = (product) => `<a class="card" href="/p/${product.id}">${picture(product, 240)}
  <b>${escapeHtml(product.name)}</b><span>${price(product.cents)}</span></a>`;

export const homePage = () => ({
  title: "Things for long evenings",
  script: "home.js",
  main: `<section class="hero"><img id="hero" src="/static/hero.png" width="1440" height="560" alt="Evening over a fjord" fetchpriority="high">
  <div><h1>Things for long evenings</h1><p>Lamps, chairs and vases from small workshops in the north.</p></div></section>
<div id="banner"></div>
<h2>The collection</h2>
<div class="grid" id="products" aria-busy="true">${'<div class="card waiting"></div>'.repeat(8)}</div>`,
});

export const productPage = (product) => ({
  title: product.name,
  script: "product.js",
  main: `<article class="product" data-id="${product.id}">
  ${picture(product, 460, ' id="picture"')}
  <div><h1>${escapeHtml(product.name)}</h1><p class="price">${price(product.cents)}</p>
  <p>${escapeHtml(product.about)}</p><p id="stock" class="muted">Checking availability…</p>
  <button id="add" type="button">Add to cart</button><p id="added" role="status"></p></div>
</article>
<h2>What people say</h2><ul id="reviews" class="reviews"></ul>`,
});

export const searchPage = (words, hits) => ({
  title: `Search: ${words}`,
  script: "search.js",
  injectTraces: false,
  main: `<form class="search" action="/search" autocomplete="off"><input id="q" name="q" value="${escapeHtml(words)}" placeholder="lamp, chair, vase" aria-label="Search">
  <button>Search</button><ul id="suggestions" hidden></ul></form>
<h1>${hits.length === 0 ? "Nothing found" : `${hits.length} things for “${escapeHtml(words)}”`}</h1>
<p class="muted">Ranked by what is bought together with the rest of the house.</p>
<div class="grid">${hits.map(productCard).join("")}</div>`,
});

export const salePage = (items) => ({
  title: "Flash sale",
  script: "sale.js",
  main: `<h1>Flash sale</h1><p>Few pieces. One buyer at a time: the warehouse confirms each one.</p>
<div class="grid wide">${items.map((item) => `<article class="card" data-id="${item.id}">${picture(item, 240)}
  <b>${escapeHtml(item.name)}</b><span><s>${price(item.full_cents)}</s> <em>${price(item.cents)}</em></span>
  <span class="muted"><span class="left">${item.stock}</span> left</span>
  <button type="button" class="buy">Buy now</button><button type="button" class="rush secondary">Eight buyers at once</button></article>`).join("")}</div>
<ol id="results" class="results" role="log"></ol>`,
});

const cartRows = (lines) => lines.map((line) => `<tr><td>${picture(line, 64)}</td><td>${escapeHtml(line.name)}</td>
  <td>${line.quantity}</td><td>${price(line.cents * line.quantity)}</td></tr>`).join("");

export const cartPage = ({ lines, cents }) => ({
  title: "Cart",
  script: "cart.js",
  main: `<h1>Your cart</h1>${lines.length === 0 ? "<p>Nothing in it yet.</p>" : `<table>${cartRows(lines)}
<tr><td></td><td>Together</td><td></td><td><b>${price(cents)}</b></td></tr></table>
<p><a class="button" href="/checkout">Check out</a></p>`}
<h2>You may also like</h2><div class="grid" id="also">${'<div class="card waiting"></div>'.repeat(4)}</div>`,
});

// The only page that also names its trace in the document, the way server frameworks do that cannot set Server-Timing.
export const checkoutPage = ({ lines, cents }, traceparent) => ({
  title: "Checkout",
  script: "checkout.js",
  traceparent,
  main: `<h1>Checkout</h1><p>Articles: ${lines.length}, together <b>${price(cents)}</b>.</p>
<form class="checkout" id="checkout"><label>Name <input name="name" autocomplete="off"></label>
<label>Street <input name="street" autocomplete="off"></label><button id="order">Place order</button></form><p id="placed" role="status"></p>`,
});

export const errorPage = (status, message) => ({
  title: `${status}`,
  script: "shop.js",
  main: `<h1>${status}</h1><p>${escapeHtml(message)}</p><p><a href="/">Back to the shop</a></p>`,
});
