/**
 * The selector of an element, by the rules of web-vitals, so that values can be compared: walk up to the document,
 * stop at an id, stop before 100 characters.
 */
const SELECTOR_CHARS_MAX = 99;

function nameOf(node: Element): string {
  return node.nodeType === 1 ? node.nodeName.toLowerCase() : node.nodeName.toUpperCase().replace(/^#/, "");
}

function partOf(node: Element): string {
  if (node.id) return "#" + node.id;
  // A text node has no classList; its parents tell where it is.
  return [nameOf(node), ...[...(node.classList ?? [])].sort()].join(".");
}

/**
 * Entries of one callback are mostly about one element, and the document stands still meanwhile: `of` remembers the last
 * answer until `forget`, which must come before the callback ends, so that no node is kept alive.
 */
export function selectors(): { of(node: Node | null | undefined): string; forget(): void } {
  let last: Node | null | undefined;
  let path = "";
  return {
    of(node) {
      if (node !== last) path = selectorOf((last = node));
      return path;
    },
    forget() {
      last = undefined;
      path = "";
    },
  };
}

export function selectorOf(node: Node | null | undefined): string {
  let path = "";
  // A node may be gone, or of another realm; a selector is never worth an error.
  try {
    for (let at = node as Element | null; at && at.nodeType !== 9; at = at.parentNode as Element | null) {
      const part = partOf(at);
      if (path.length + part.length > SELECTOR_CHARS_MAX) return path || part;
      path = path ? part + ">" + path : part;
      if (at.id) break;
    }
  } catch {
    return path;
  }
  return path;
}
