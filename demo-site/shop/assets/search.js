import { call } from "./shop.js";

const TYPING_PAUSE_MS = 120;
const field = document.getElementById("q");
const list = document.getElementById("suggestions");
let pause;

function suggestion({ id, name }) {
  const link = Object.assign(document.createElement("a"), { href: `/p/${id}`, textContent: name });
  const item = document.createElement("li");
  item.append(link);
  return item;
}

async function showSuggestions() {
  const { json } = await call("GET", `/api/suggest?q=${encodeURIComponent(field.value)}`);
  list.replaceChildren(...json.map(suggestion));
  list.hidden = json.length === 0;
}

field.addEventListener("input", () => {
  clearTimeout(pause);
  pause = setTimeout(showSuggestions, TYPING_PAUSE_MS);
});
