import { call, productCard } from "./shop.js";

const BANNER_DELAY_MS = 600;

const { json: products } = await call("GET", "/api/products");
const grid = document.getElementById("products");
grid.replaceChildren(...products.slice(0, 8).map(productCard));
grid.removeAttribute("aria-busy");

// The classic mistake: a banner without reserved space arrives late and pushes everything below it down.
setTimeout(() => {
  const banner = Object.assign(new Image(), { src: "/static/banner.svg", alt: "Flash sale" });
  const link = Object.assign(document.createElement("a"), { href: "/sale" });
  link.append(banner);
  document.getElementById("banner").append(link);
}, BANNER_DELAY_MS);
