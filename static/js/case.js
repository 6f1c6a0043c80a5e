// A case: the marks of one rater, or of all together, painted on the responses.

import { paint } from "./spanpaint.js";
import { TextMap } from "./textmap.js";

const { categories, raters, raws } = JSON.parse(document.getElementById("case-data").textContent);
const panes = [...document.querySelectorAll("[data-response]")].map((root) => ({
  root, id: +root.dataset.response, map: new TextMap(root, raws[root.dataset.response]),
}));
const line = document.getElementById("whose");
line.hidden = !raters.some(({ spans, omissions }) => spans.length || omissions.length);
line.addEventListener("change", ({ target }) => show(target.value));
show("all");

function show(whose) {
  const chosen = raters.map((rater, n) => ({ ...rater, n })).filter(({ n }) => whose === "all" || n === +whose);
  for (const pane of panes) paint(editorOf(pane, chosen));
}

/** What spanpaint.js reads of an editor. Together, the number behind a mark is the rater's; alone, the category's. */
function editorOf({ root, id, map }, chosen) {
  const of = (kind) => chosen.flatMap((rater) => rater[kind].filter(({ response }) => response === id).map((mark, i) => ({
    ...mark, id: `${kind}-${rater.n}-${i}`, category: `${rater.n}|${mark.category ?? ""}`, at: mark.at ?? null,
  })));
  const category = (key) => {
    const [n, name] = [+key.split("|")[0], key.slice(key.indexOf("|") + 1)];
    const index = categories.findIndex((each) => each.key === name);
    const { label, color } = categories[index] ?? { label: name, color: "var(--soft)" };
    return chosen.length > 1 ? { index: n, color, label: `${raters[n].who}: ${label}` } : { index: Math.max(index, 0), color, label };
  };
  const spans = of("spans").sort((a, b) => a.start - b.start || a.end - b.end);
  return { root, map, spans, omissions: of("omissions"), category, selected: null };
}
