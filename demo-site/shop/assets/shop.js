// What several pages share in the browser.
export const price = (cents) => `€ ${(cents / 100).toFixed(2)}`;

// Every answer's body is read, also of a refusal: Chromium reports no timing for a response that nobody reads.
export async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    ...(body ? { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, retryAfter: Number(response.headers.get("Retry-After") ?? 0), json: await response.json() };
}

export function productCard({ id, name, cents }) {
  const card = document.createElement("a");
  card.className = "card";
  card.href = `/p/${id}`;
  const picture = Object.assign(new Image(240, 240), { src: `/img/${id}.svg`, alt: name });
  const title = Object.assign(document.createElement("b"), { textContent: name });
  const cost = Object.assign(document.createElement("span"), { textContent: price(cents) });
  card.append(picture, title, cost);
  return card;
}
