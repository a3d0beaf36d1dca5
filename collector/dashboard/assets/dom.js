// Builds DOM nodes. Text is only ever a text node: what visitors' browsers sent cannot become markup.
const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
  return node;
}

export const element = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);
export const shape = (name, attributes = {}, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

// Links leave the dashboard only for http and https.
export function outsideLink(url) {
  const safe = /^https?:\/\//i.test(url);
  return safe ? element("a", { href: url, rel: "noopener noreferrer", target: "_blank" }, url) : element("span", {}, url);
}
