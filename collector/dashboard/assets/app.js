// Composition: the hash says which page, the select says which app, one render at a time.
import * as api from "./api.js";
import { element } from "./dom.js";
import { overviewPage } from "./overview.js";
import { rejectsPage } from "./rejects.js";
import { askToken } from "./token.js";
import { viewPage } from "./view.js";
import { viewsPage } from "./views.js";

const main = document.getElementById("main");
const choice = document.getElementById("app");
let latest = 0;

function route() {
  const [, page = "", argument = ""] = location.hash.split("/");
  if (page === "view") return { name: "views", render: () => viewPage(argument) };
  if (page === "session") return { name: "views", render: () => viewsPage(choice.value, argument) };
  if (page === "views") return { name: "views", render: () => viewsPage(choice.value) };
  if (page === "rejects") return { name: "rejects", render: rejectsPage };
  return { name: "overview", render: () => overviewPage(choice.value) };
}

// Asks for a token as long as the collector refuses the one that there is: at first, and when a signed one has expired meanwhile.
async function withToken(ask) {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (error.status !== 401) throw error;
      api.setToken(await askToken(main));
    }
  }
}

async function build({ name, render: page }) {
  if (choice.value === "" && name !== "rejects" && name !== "view") return [element("p", { class: "quiet" }, "No data yet. Add the script tag to a page and load it.")];
  try {
    return await withToken(page);
  } catch (error) {
    return [element("p", { class: "problem", role: "alert" }, `${error.message}`)];
  }
}

async function render() {
  const turn = ++latest;
  const to = route();
  for (const link of document.querySelectorAll("nav a")) link.setAttribute("aria-current", link.dataset.page === to.name ? "page" : "false");
  const content = await build(to);
  if (turn === latest) main.replaceChildren(...content.filter(Boolean));
}

async function start() {
  try {
    const { apps } = await withToken(api.apps);
    choice.replaceChildren(...apps.map((app) => element("option", { value: app.app }, app.app)));
  } catch (error) {
    main.replaceChildren(element("p", { class: "problem", role: "alert" }, `The collector does not answer: ${error.message}`));
    return;
  }
  choice.addEventListener("change", render);
  addEventListener("hashchange", render);
  await render();
}

start();
