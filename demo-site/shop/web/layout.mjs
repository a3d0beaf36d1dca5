// The frame around every page: head, navigation, the Vitrace tag.
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

export const escapeHtml = (text) => String(text).replace(/[&<>"']/g, (character) => ENTITIES[character]);
export const price = (cents) => `€ ${(cents / 100).toFixed(2)}`;

const LINKS = [["/", "Home"], ["/search?q=lamp", "Search"], ["/sale", "Flash sale"], ["/cart", "Cart"]];

// One script tag is all that a page needs. `data-trace` lets the SDK put `traceparent` on the page's own calls; a page
// without it is joined through Server-Timing alone.
function vitraceTag({ collector, injectTraces }) {
  const trace = injectTraces ? ' data-trace="same-origin"' : "";
  return `<script async crossorigin src="${collector}/v1/vitrace.js" data-app="shop" data-release="1.0.0" data-environment="demo"${trace}></script>`;
}

export function renderPage({ title, main, script, collector, path, injectTraces = true, traceparent }) {
  const links = LINKS.map(([href, text]) => {
    const current = href.split("?")[0] === path ? ' aria-current="page"' : "";
    return `<a href="${href}"${current}>${text}</a>`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · Northlight</title>
${traceparent ? `<meta name="traceparent" content="${traceparent}">\n` : ""}<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/shop.css">
${vitraceTag({ collector, injectTraces })}
<script type="module" src="/static/${script}"></script>
</head>
<body>
<header><a class="brand" href="/"><img src="/static/logo.svg" width="32" height="32" alt=""> Northlight</a><nav>${links.join("")}</nav></header>
<main>
${main}
</main>
<footer>A demo shop. Nothing is sold, every request is traced.</footer>
</body>
</html>
`;
}
