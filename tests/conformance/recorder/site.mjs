/** The pages that are recorded: small documents with a slow part each, served from this machine. */
import { createServer } from "node:http";
import { pathOfNode } from "../nodes.mjs";
import { plainEntry, watch } from "./in_page.mjs";

const recorder = (delayed) => `<script>(${watch})(${delayed}, ${plainEntry}, ${pathOfNode})</script>`;
const svg = (width, height, color) => `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
  Array.from({ length: 120 }, (_, i) => `<circle cx="${(i * 67) % width}" cy="${(i * 41) % height}" r="${9 + (i % 17)}" fill="${color}" opacity="0.${1 + (i % 8)}"/>`).join("") + "</svg>";

const PARAGRAPH = "<p class='text big'>" + "The quick brown fox jumps over the lazy dog. ".repeat(8) + "</p>";

/** Body and script of each kind of page; q are the numbers of the query. */
const PAGES = {
  text: () => PARAGRAPH,
  nothing: () => "",
  image: ({ wait = 100 }) => `${PARAGRAPH}<img class="hero" src="/hero.svg?wait=${wait}" width="900" height="500">`,
  background: ({ wait = 100 }) => `${PARAGRAPH}<div id="bg" style="width:900px;height:500px;background:url(/hero.svg?wait=${wait})"></div>`,
  foreign: ({ wait = 50, allow = 0, port }) => `${PARAGRAPH}<img src="http://localhost:${port}/hero.svg?wait=${wait}&allow=${allow}" width="900" height="500">`,
  replaced: ({ wait = 150 }) => `<h1>Title</h1>${PARAGRAPH}<script>setTimeout(() => { const i = new Image(900, 500); i.src = "/hero.svg?wait=50"; document.body.append(i) }, ${wait})</script>`,
  removed: ({ wait = 100 }) => `<div id="splash" style="font-size:60px">Splash of very large letters, for a moment only</div><p>small</p><script>setTimeout(() => document.getElementById("splash").remove(), ${wait})</script>`,
  twice: () => `<img src="/hero.svg?n=1" width="200" height="100"><script>setTimeout(() => { const i = new Image(900, 500); i.src = "/hero.svg?n=1"; document.body.append(i) }, 200)</script>`,
  many: ({ n = 60 }) => `<img class="hero" src="/hero.svg?wait=20" width="900" height="500"><script>for (let i = 0; i < ${n}; i++) new Image().src = "/dot.svg?n=" + i</script>`,
  banner: ({ wait = 300, n = 1, gap = 200 }) => `${PARAGRAPH}<main>${PARAGRAPH}</main><script>for (let i = 0; i < ${n}; i++) setTimeout(() => { const d = document.createElement("div"); d.style.height = "120px"; document.body.prepend(d) }, ${wait} + i * ${gap})</script>`,
  textnode: ({ wait = 300 }) => `<div id="grow"></div>bare text in the body, which is moved by what grows above it<script>setTimeout(() => grow.style.height = "200px", ${wait})</script>`,
  moving: () => `${PARAGRAPH}<div style="width:100px;height:100px;background:red;animation:m 1s infinite"></div><style>@keyframes m { to { transform: translateX(300px) } }</style>`,
  button: ({ busy = 60, grow = 0 }) => `<button class="b go" style="width:300px;height:100px">Press</button><input style="width:300px"><div id="out"></div>${PARAGRAPH}
    <script>const spin = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
    let slow = ${busy}; for (const type of ["click", "keydown"]) addEventListener(type, () => { spin(slow); if (${grow}) document.getElementById("out").style.height = "150px"; });</script>`,
  down: ({ busy = 80 }) => `<button style="width:300px;height:100px">Press</button>${PARAGRAPH}
    <script>const spin = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
    addEventListener("pointerdown", () => spin(${busy})); addEventListener("pointerup", () => spin(${busy} / 2)); addEventListener("click", () => { document.querySelector("p").textContent = "x" });</script>`,
  spa: ({ busy = 0, wait = 0, image = 0, shift = 0, replace = 0, slow = 0 }) => `<button class="b go" style="width:300px;height:100px">Next</button><main id="view"><p>Start</p></main>
    <script>const spin = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
    let n = 0;
    const show = () => {
      n++;
      history[${replace} ? "replaceState" : "pushState"]({}, "", "/spa/" + n);
      view.innerHTML = "<h1 class='title' style='font-size:40px'>Route " + n + " with a large title</h1>" + ${JSON.stringify(PARAGRAPH)};
      if (${image}) setTimeout(() => { const i = new Image(900, 500); i.className = "hero"; i.src = "/hero.svg?wait=${image}&n=" + n; view.append(i); }, 0);
      if (${shift}) setTimeout(() => { const d = document.createElement("div"); d.style.height = "90px"; view.prepend(d); }, ${shift});
    };
    const go = () => { spin(${busy}); if (${wait}) fetch("/dot.svg?wait=${wait}").then((r) => r.text()).then(show); else show(); };
    document.querySelector("button").addEventListener("click", go); addEventListener("keydown", go);${slow ? `new Image().src = "/hero.svg?wait=${slow}";` : ""}</script>${slow ? `<img src="/hero.svg?wait=${slow}&n=s" width="9" height="9">` : ""}`,
  handlers: ({ n = 12, busy = 8, force = 0 }) => `<button class="b" style="width:300px;height:100px">Press</button><div id="out">out</div>${PARAGRAPH}
    <script>const spin = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
    for (let i = 0; i < ${n}; i++) document.querySelector("button").addEventListener("click", () => { spin(${busy} + i / 4); if (${force}) for (let k = 0; k < 200; k++) { document.getElementById("out").style.width = 100 + k + "px"; document.body.offsetHeight; } });</script>`,
  chain: ({ busy = 80 }) => `<button class="b" style="width:300px;height:100px">Press</button>${PARAGRAPH}
    <script>const spin = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
    document.querySelector("button").addEventListener("click", () => { requestAnimationFrame(function later() { spin(${busy} / 2); document.querySelector("p").style.fontSize = 10 + Math.random() * 20 + "px"; }); Promise.resolve().then(() => spin(${busy})); });</script>`,
  busy: () => `<button style="width:300px;height:100px">Press</button>${PARAGRAPH}<script>setInterval(() => { const end = performance.now() + 70; while (performance.now() < end); }, 90)</script>`,
  growing: () => `<button style="width:300px;height:100px">Press</button><h1>first</h1><script>setTimeout(() => document.body.insertAdjacentHTML("beforeend", ${JSON.stringify(PARAGRAPH.repeat(3))}), 1200)</script>`,
  prerenders: ({ target }) => `<a id="go" href="${target}">go</a><script type="speculationrules">{"prerender":[{"source":"list","urls":["${target}"],"eagerness":"immediate"}]}</script>`,
};

/** The site; `recorded(id, log)` is called with every log that a page sends. */
export function openSite(recorded) {
  let origin = "";
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, origin);
    const q = Object.fromEntries(url.searchParams);
    if (url.pathname === "/recorded") {
      const parts = [];
      for await (const part of request) parts.push(part);
      recorded(q.id, JSON.parse(Buffer.concat(parts).toString().replaceAll(origin, "http://site.test").replaceAll(`http://localhost:${server.address().port}`, "http://other.test")));
      return response.writeHead(204).end();
    }
    if (q.wait && url.pathname.endsWith(".svg")) await new Promise((done) => setTimeout(done, +q.wait));
    if (q.slow) await new Promise((done) => setTimeout(done, +q.slow));
    if (url.pathname.endsWith(".svg")) {
      const headers = { "content-type": "image/svg+xml", "cache-control": "no-store", ...(q.allow === "1" && { "timing-allow-origin": "*" }) };
      return response.writeHead(200, headers).end(url.pathname === "/dot.svg" ? svg(10, 10, "gray") : svg(900, 500, "teal"));
    }
    if (url.pathname === "/redirect") return response.writeHead(302, { location: "/page" + url.search }).end();
    if (url.pathname === "/away") return response.writeHead(200, { "content-type": "text/html" }).end("<title>away</title><p>away</p>");
    const page = PAGES[q.page];
    if (url.pathname !== "/page" || !page) return response.writeHead(404).end();
    const html = `<!doctype html><title>${q.page}</title>${q.page === "prerenders" ? "" : recorder(+(q.late ?? -1))}<body>${page({ ...q, port: server.address().port })}`;
    return response.writeHead(200, { "content-type": "text/html", "cache-control": q.store === "no" ? "no-store" : "max-age=0" }).end(html);
  });
  return new Promise((done) => {
    server.listen(0, "127.0.0.1", () => {
      origin = `http://127.0.0.1:${server.address().port}`;
      done({ origin, close: () => server.close() });
    });
  });
}
