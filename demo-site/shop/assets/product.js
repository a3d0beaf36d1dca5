import { call, price } from "./shop.js";

const HEAVY_MS = 120;
const id = Number(document.querySelector(".product").dataset.id);

// Another classic: work that could wait runs inside the click handler. It prices bundles of the product with itself
// until its time is over, so the click paints late on fast and slow machines alike.
function rankBundles(cents) {
  const end = performance.now() + HEAVY_MS;
  let best = 0;
  for (let size = 1; performance.now() < end; size++) best = Math.max(best, Math.sqrt(cents * size) % 97);
  return best;
}

function reviewItem({ stars, text }) {
  return Object.assign(document.createElement("li"), { textContent: `${"★".repeat(stars)}${"☆".repeat(5 - stars)} ${text}` });
}

document.getElementById("add").addEventListener("click", async () => {
  const status = document.getElementById("added");
  status.textContent = `Adding… ${rankBundles(id * 1000) > 0 ? "bundle found" : ""}`;
  const { status: code, json } = await call("POST", "/api/cart", { id, quantity: 1 });
  status.textContent = code === 200 ? `In your cart: ${price(json.cents)}` : json.error;
});

const [details, reviews] = await Promise.all([call("GET", `/api/products/${id}`), call("GET", `/api/products/${id}/reviews`)]);
document.getElementById("stock").textContent = `${details.json.kind[0].toUpperCase()}${details.json.kind.slice(1)}, ready to ship.`;
document.getElementById("reviews").replaceChildren(...reviews.json.map(reviewItem));

// Fire and forget: nobody reads the answer, so Chromium has no timing entry for it. Only the call itself is known. It
// waits until the page is idle, as such calls should.
addEventListener("load", () => setTimeout(() => fetch(`/api/seen/${id}`, { method: "POST" }), 400));
