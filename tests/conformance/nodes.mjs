/**
 * Elements of a scenario. A path from the root, "HTML>BODY>DIV#hero.big>#text", stands for a node and its ancestors:
 * as much of the DOM as a selector is made of.
 */
const PART = /^(#text|[^#.]+)?(?:#([^.]+))?((?:\..+)?)$/;

function nodeOf(part, parentNode) {
  const [, nodeName, id = "", classes] = PART.exec(part);
  if (nodeName === "#text") return { nodeType: 3, nodeName, parentNode };
  return { nodeType: 1, nodeName, id, classList: classes.split(".").filter(Boolean), parentNode };
}

export function nodeOfPath(path) {
  if (!path) return null;
  return path.split(">").reduce((parent, part) => nodeOf(part, parent), { nodeType: 9, nodeName: "#document", parentNode: null });
}

/** The other way round, in the page that is recorded: serialised into it, so it may name nothing outside. */
export function pathOfNode(node) {
  const parts = [];
  for (let at = node; at && at.nodeType !== 9; at = at.parentNode) {
    const isElement = at.nodeType === 1;
    parts.unshift(isElement ? at.nodeName + (at.id ? "#" + at.id : "") + Array.from(at.classList, (name) => "." + name).join("") : "#text");
  }
  return parts.join(">");
}
