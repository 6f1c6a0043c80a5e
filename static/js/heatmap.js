// The heat-map: reads what the server painted, and follows the pointer, the keys and the reader's choices.

import { Painted } from "./heatmap_text.js";
import { repaint } from "./heatmap_paint.js";
import { Teller } from "./heatmap_tell.js";
import { png, save, svg } from "./heatmap_picture.js";

const USUAL = { group: "token", cut: "hide", level: 0 };
const form = document.querySelector("form.pick");
let texts = [];
let teller = null;

const choices = () => ({ group: form.elements.group.value, cut: form.elements.cut.value, level: Number(form.elements.level.value) });
const main = () => texts.filter(({ box }) => box.matches(".heat"));

/** Read the map that is on the page now, and show it as chosen. */
function start() {
  document.getElementById("tip")?.setAttribute("hidden", "");
  texts = [...document.querySelectorAll("#map [data-heat]")].map((box) => new Painted(box));
  teller = new Teller(texts);
  for (const text of texts) text.index("token");
  const chosen = choices();
  if (chosen.group !== USUAL.group || chosen.level) show();
  document.getElementById("picture")?.removeAttribute("hidden");
}

let asked = 0;

/** Once per frame, however fast a slider is drawn. */
function shown() {
  cancelAnimationFrame(asked);
  asked = requestAnimationFrame(show);
}

function show() {
  const chosen = choices();
  teller?.clear();
  teller?.tell(null);
  document.getElementById("level-said").textContent = `${chosen.level} %`;
  if (!main().length) return;
  const found = repaint(main(), chosen);
  if (!found) return;
  document.querySelectorAll("#map .peak").forEach((peak) => (peak.textContent = found.peak.toFixed(4)));
  const hidden = chosen.level ? `${found.kept} of ${found.all} ${form.elements.group.selectedOptions[0].text} shown, ${(100 * found.share).toFixed(0)} % of all pushes.` : "";
  document.getElementById("told").textContent = hidden || "Every value is shown.";
}

/** The address with the choices made here: of this page, and of a link that is about to be followed. */
function carried(href) {
  const [address, chosen] = [new URL(href, location), choices()];
  for (const [name, usual] of Object.entries(USUAL)) {
    if (chosen[name] === usual) address.searchParams.delete(name);
    else address.searchParams.set(name, chosen[name]);
  }
  return address.search;
}

function carryLink({ target }) {
  const link = target.closest?.('.inspect a[href^="?"]');
  if (link) link.href = carried(link.href);
}

/** The same for what a form sends. */
function carryInto(form) {
  for (const [name, value] of Object.entries(choices())) {
    const field = form.elements[name] ?? form.appendChild(Object.assign(document.createElement("input"), { type: "hidden", name }));
    field.value = value;
  }
}

document.addEventListener("pointerover", ({ target }) => teller?.tell(teller.find(target), true));
document.addEventListener("scroll", () => teller && (teller.tip.hidden = true), { passive: true, capture: true });

document.addEventListener("click", ({ target }) => {
  if (target.closest("#pinned button")) teller?.clear();
  const found = teller?.find(target);
  if (found && getSelection().isCollapsed) teller.pin(found);
  const picture = target.closest("[data-picture]")?.dataset.picture;
  if (picture) export_(picture);
});

async function export_(kind) {
  const says = document.querySelector("#map .says").textContent;
  const drawn = svg(main(), says);
  save(kind === "svg" ? new Blob([drawn], { type: "image/svg+xml" }) : await png(drawn), `heat-map.${kind}`);
}

document.addEventListener("keydown", (event) => {
  const box = event.target.closest?.(".heat[tabindex]");
  if (box && !event.altKey && !event.ctrlKey && !event.metaKey && teller?.key(box, event.key)) event.preventDefault();
  const edit = event.target.closest?.(".edit[open]");
  if (edit && event.key === "Escape") close(edit);
  if (edit && event.key === "Enter" && (event.ctrlKey || event.metaKey)) edit.querySelector("form").requestSubmit();
});

function close(edit) {
  edit.open = false;
  edit.querySelector("summary").focus();
}

document.addEventListener("reset", ({ target }) => target.closest(".edit") && close(target.closest(".edit")));
document.addEventListener("toggle", ({ target }) => target.matches?.(".edit[open]") && target.querySelector("textarea").focus(), true);
document.addEventListener("submit", ({ target }) => target.closest("#map") && target.method === "post" && carryInto(target), true);

// What is copied is the text itself, character by character.
document.addEventListener("copy", (event) => {
  const selection = getSelection();
  const box = (node) => (node?.nodeType === Node.TEXT_NODE ? node.parentElement : node)?.closest(".heat");
  if (selection.isCollapsed || !box(selection.anchorNode) || box(selection.anchorNode) !== box(selection.focusNode)) return;
  event.clipboardData.setData("text/plain", selection.getRangeAt(0).cloneContents().textContent);
  event.preventDefault();
});

form?.addEventListener("change", ({ target }) => {
  if (target.matches("[data-here]")) history.replaceState(null, "", carried(location.href));
  else form.requestSubmit();
});
document.addEventListener("pointerdown", carryLink);
document.addEventListener("click", carryLink, true);
form?.addEventListener("input", ({ target }) => target.matches("[data-here]") && shown());
document.addEventListener("htmx:afterSettle", ({ target }) => target.id === "map" && start());
if (form) start();

const list = document.querySelector(".pairs");
const current = list?.querySelector("[aria-current]");
if (current) list.scrollTop = current.offsetTop - list.offsetTop - list.clientHeight / 3;
