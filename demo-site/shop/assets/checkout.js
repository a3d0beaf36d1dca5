import { call } from "./shop.js";

document.getElementById("checkout").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { status, json } = await call("POST", "/api/orders");
  document.getElementById("placed").textContent = status === 200 ? `Order ${json.order} is placed. Thank you!` : json.error;
});
