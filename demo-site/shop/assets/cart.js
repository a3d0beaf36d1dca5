import { call, productCard } from "./shop.js";

const { json: products } = await call("GET", "/api/products");
document.getElementById("also").replaceChildren(...products.slice(8).map(productCard));
