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

async function render() {
  const turn = ++latest;
  const { name, render: build } = route();
  for (const link of document.querySelectorAll("nav a")) link.setAttribute("aria-current", link.dataset.page === name ? "page" : "false");
  let content;
  try {
    content = choice.value === "" && name !== "rejects" && name !== "view" ? [element("p", { class: "quiet" }, "No data yet. Add the script tag to a page and load it.")] : await build();
  } catch (error) {
    content = [element("p", { class: "problem", role: "alert" }, `${error.message}`)];
  }
  if (turn === latest) main.replaceChildren(...content.filter(Boolean));
}

// Asks again while the collector refuses the token.
async function listApps() {
  for (;;) {
    try {
      return await api.apps();
    } catch (error) {
      if (error.status !== 401) throw error;
      api.setToken(await askToken(main));
    }
  }
}

async function start() {
  try {
    const { apps } = await listApps();
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
