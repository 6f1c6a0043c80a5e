// Where two tabs changed the same thing: both are shown side by side, and the rater chooses for each.

import { merge } from "./judge_merge.js";
import { make } from "./judge_parts.js";

const FIELDS = {
  verdict: "Verdict", rationale: "Rationale", ratings: "Rating", rationales: "Reason of a rating", safety: "Safety", principles: "Principles",
  spans: "Mark", omissions: "Something missing", checked: "Nothing to mark", steps: "Step", turns: "Turn", corrections: "Better version",
  demonstration: "Your own answer",
};

/** Parts of an answer in words, for the middle of a sentence. */
export const named = (parts) => parts.map((part) => (FIELDS[part] ?? part).toLowerCase()).join(", ");

const side = (id) => document.querySelector(`[data-response="${id}"]`)?.getAttribute("aria-label") ?? id;

/** Words for where: the name of a response instead of its id. */
function where([field, ...rest]) {
  const words = rest.join(" ").split(" ").filter(Boolean);
  return [FIELDS[field] ?? field, ...words.map((word, i) => (i ? word : side(word)))].join(" · ");
}

function verdict([outcome, ranking, strength, reason]) {
  if (outcome !== "ranking") return [outcome?.replace("_", " ") ?? "(none)", reason].filter(Boolean).join(": ");
  const order = (ranking ?? []).map((group) => group.map(side).join(" = ")).join(" > ");
  return [order, strength && `strength ${strength}`].filter(Boolean).join(", ");
}

function brief(value, [field]) {
  if (field === "verdict") return verdict(value);
  if (value === undefined) return "(removed)";
  if (value === null || value === "") return "(empty)";
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return value.flat(2).filter((each) => each !== null && each !== "").join(", ") || "(empty)";
  return [value.quote && `“${value.quote}”`, value.note, value.correction].filter(Boolean).join(" – ") || JSON.stringify(value);
}

function option(name, i, label, text) {
  const line = make("label", { className: "side" });
  line.append(make("input", { type: "radio", name: `conflict-${i}`, value: name, required: true }), ` ${label}: `, make("span", { textContent: text }));
  return line;
}

/** → the answer both come to, or null when the rater put it off. mine() gives what stands on the page. */
export async function reconcile(base, mine, theirs) {
  const first = merge(base, mine(), theirs);
  if (!first.conflicts.length) return first.answer;
  const choices = await ask(first.conflicts);
  return choices && merge(base, mine(), theirs, choices).answer;
}

function ask(conflicts) {
  const dialog = make("dialog", { className: "conflict" });
  dialog.setAttribute("aria-labelledby", "conflict-title");
  const form = make("form", { method: "dialog" });
  form.append(make("h2", { id: "conflict-title", textContent: "Two answers to bring together" }));
  form.append(make("p", { textContent: "Another tab or device changed the same. Everything else is together already; choose here." }));
  conflicts.forEach(({ path, mine, theirs }, i) => {
    const field = make("fieldset");
    field.append(make("legend", { textContent: where(path) }), option("mine", i, "Here", brief(mine, path)), option("theirs", i, "Elsewhere", brief(theirs, path)));
    form.append(field);
  });
  const later = make("button", { type: "button", textContent: "Later" });
  later.addEventListener("click", () => dialog.close());
  const row = make("div", { className: "row" });
  row.append(make("button", { className: "primary", value: "go", textContent: "Bring together" }), later);
  form.append(row);
  dialog.append(form);
  document.getElementById("main").append(dialog);
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => {
      const chosen = new FormData(form);
      dialog.remove();
      resolve(dialog.returnValue === "go" ? conflicts.map((_, i) => chosen.get(`conflict-${i}`)) : null);
    }),
  );
}
