// The page of the engines' tests: Vitrace and Google's web-vitals side by side, something to see, to shift and to press.
// One server under two names, 127.0.0.1 and localhost: two sites to a browser.
import { readFileSync } from "node:fs";
import http from "node:http";

const LIBRARY = new URL("../../demo-site/node_modules/web-vitals/dist/web-vitals.iife.js", import.meta.url);
const NAMES = ["LCP", "INP", "CLS", "FCP", "TTFB"];

/** web-vitals keeps what it reports in localStorage, which outlives the page whose end makes it final. */
const oracle = () => `${readFileSync(LIBRARY, "utf8")}
const values = {};
const keep = ({ name, value }) => {
  values[name.toLowerCase()] = value;
  localStorage.setItem("vitals:" + location.pathname, JSON.stringify(values));
};
for (const name of ${JSON.stringify(NAMES)}) webVitals["on" + name](keep);`;

const BUSY_MS = 40;

/** With a budget that no busy machine uses up: the SDK's time is not the question here. */
const life = (collector, app, rules) => `<!doctype html><title>life</title><link rel="icon" href="data:,">
<script>${oracle()}</script>
<script async crossorigin src="${collector}/v1/vitrace.js" data-app="${app}" data-budget-ms="100000"></script>
${rules ? `<script type="speculationrules">{"prerender":[{"urls":["${rules}"],"eagerness":"immediate"}]}</script><a id="ahead" href="${rules}">ahead</a>` : ""}
<div id="room"></div>
<h1>A page of its own</h1><p>${"Some words to look at. ".repeat(40)}</p>
<button id="act">act</button><a id="soft" href="#">soft</a><main></main>
<script>
  const block = (ms) => { for (const end = performance.now() + ms; performance.now() < end; ); };
  act.onclick = () => { block(${BUSY_MS}); document.querySelector("main").textContent += "done "; };
  setTimeout(() => (room.style.height = "120px"), 150);
  if (document.prerendering) document.addEventListener("prerenderingchange", () => setTimeout(() => vitrace.event("last"), 1000));
  soft.onclick = async (event) => {
    event.preventDefault();
    await new Promise((resolve) => setTimeout(resolve, 20));
    history.pushState({}, "", location.pathname + "/soft");
    document.querySelector("main").innerHTML = "<h2>" + "Another page, softly. ".repeat(30) + "</h2>";
  };
</script>`;

const BLANK = '<!doctype html><title>blank</title><link rel="icon" href="data:,"><p>nothing here</p>';

/** `/life/...` is measured, `/ahead/...` prerenders the page of the same name, everything else is blank. */
export async function startSite(collector, app) {
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://site");
    const [, kind, ...rest] = pathname.split("/");
    const body = kind === "life" ? life(collector, app()) : kind === "ahead" ? life(collector, app(), `/life/${rest.join("/")}`) : BLANK;
    response.writeHead(200, { "Content-Type": "text/html" }).end(body);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  return { base: `http://127.0.0.1:${port}`, elsewhere: `http://localhost:${port}`, end: () => server.close() };
}
