import { call } from "./shop.js";

const RUSH_BUYERS = 8;
const results = document.getElementById("results");

const OUTCOMES = {
  200: ({ json }) => `bought, ${json.left} left`,
  409: () => "sold out",
  429: ({ retryAfter }) => `too many buyers, try again in ${retryAfter} s`,
};

function report(buyer, answer, ms) {
  const text = (OUTCOMES[answer.status] ?? (() => answer.json.error ?? "failed"))(answer);
  const line = Object.assign(document.createElement("li"), { textContent: `${buyer}: ${text} (${Math.round(ms)} ms)` });
  line.dataset.status = answer.status;
  results.prepend(line);
}

async function buy(card, buyer) {
  const start = performance.now();
  const answer = await call("POST", `/api/sale/${card.dataset.id}`);
  report(buyer, answer, performance.now() - start);
  if (answer.status === 200) card.querySelector(".left").textContent = answer.json.left;
}

for (const card of document.querySelectorAll("article.card")) {
  card.querySelector(".buy").addEventListener("click", () => buy(card, "You"));
  // Several calls to one URL in flight together: whose answer is whose is exactly what a matcher may get wrong.
  card.querySelector(".rush").addEventListener("click", () => {
    for (let buyer = 1; buyer <= RUSH_BUYERS; buyer++) buy(card, `Buyer ${buyer}`);
  });
}
