// Asks for an admin token; the collector has some configured. Resolves with what was typed.
import { element } from "./dom.js";

export function askToken(place) {
  return new Promise((resolve) => {
    const field = element("input", { type: "password", id: "token", autocomplete: "off", required: true });
    const submit = (event) => {
      event.preventDefault(); // the policy lets no form leave the page
      const token = field.value.trim();
      if (token !== "") resolve(token);
    };
    place.replaceChildren(element("form", { on: { submit } },
      element("label", { for: "token" }, "Admin token "), field, " ", element("button", { type: "submit" }, "Open")));
    field.focus();
  });
}
