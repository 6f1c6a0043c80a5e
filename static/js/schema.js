// The schema form: its preview is a judging page that can be tried, made anew whenever the server has sent another.

import { build } from "./judge_page.js";

const place = document.getElementById("preview");
let page = null;

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target !== place) return;
  page?.destroy();
  page = null;
});
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  const main = detail.target === place && place.querySelector("[data-shape]");
  if (!main) return;
  page = build(main, JSON.parse(main.querySelector("#judge-data").textContent));
  main.querySelector("#answer").addEventListener("submit", (event) => event.preventDefault());
  place.dataset.ready = page.data.mode;
});

// A row that was added is ready to be written; after a move or a removal focus stays at the same button, else near it.
let pressed = "";
document.addEventListener("htmx:configRequest", ({ detail }) => detail.elt.id === "schema-form" && (pressed = detail.parameters.do ?? ""));
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  const form = document.getElementById("schema-form");
  if (detail.target.id !== "schema-form" || !pressed) return;
  const [act, kind] = pressed.split(".");
  const button = (value) => form.querySelector(`[value="${value}"]:not(:disabled)`);
  const added = act === "add" && form.querySelector(`[name^="${kind}."][name$=".label"]:not([value]), [name^="${kind}."][name$=".label"][value=""]`);
  const wrong = form.querySelector("label:has(.error-text) :is(input, select, textarea)");
  (added || wrong || button(moved(pressed)) || button(`add.${kind}`) || button(pressed))?.focus();
  pressed = "";
});

/** The button of the same row, which stands elsewhere now. */
function moved(act) {
  const [what, kind, n] = act.split(".");
  return `${what}.${kind}.${what === "up" ? Math.max(+n - 1, 1) : what === "down" ? +n + 1 : n}`;
}
