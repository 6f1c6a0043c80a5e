// One key for everything: those of the rater's own map, and a few that always do the same.

import { keyName } from "./keynames.js";
import { announce } from "./judge_status.js";

const ALWAYS = { "?": "keys" };
const CTRL = { Enter: "submit", z: "undo", "Shift+z": "redo", y: "redo" };
const AGAIN = ["undo", "redo"]; // a key held down does these again, and nothing else
// Where letters are written. A select of the safety question is none: its own keys are digits and arrows.
const FIELD = "input:not([type=radio], [type=checkbox]), textarea, select:not([data-safety]), [contenteditable]";

/** @param now () => the desk  @param acts () => {name: act} of everything that can be done now */
export function bindKeys(now, acts) {
  // Before the editors of the texts: undo is the page's, over every kind of edit.
  addEventListener("keydown", (event) => ctrl(event, now(), acts()), { capture: true });
  addEventListener("keydown", (event) => plain(event, now(), acts()));
}

function ctrl(event, desk, acts) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || dialog()) return;
  const act = CTRL[keyName(event)];
  if (!act || (AGAIN.includes(act) && event.target.closest?.(FIELD))) return; // a field has its own undo
  run(event, desk, act, acts[act]);
}

function plain(event, desk, acts) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || dialog()) return;
  const { target, key } = event;
  if (desk.sealed) return early(event, desk);
  if (key === "Enter" && target.matches("input")) event.preventDefault(); // no submit, unless it is the key of that
  if (key === "Escape") return leave(desk, target);
  if (target.closest(FIELD) || !letters()) return;
  const name = keyName(event);
  if (name === "Enter" && target.closest("button, a, summary, [role=button]")) return; // its own
  const act = actOf(name, desk.data.keys);
  if (act) run(event, desk, act, acts[act]);
}

function actOf(name, keys = {}) {
  if (/^\d$/.test(name)) return `choose_${name}`;
  return ALWAYS[name] ?? Object.keys(keys).find((act) => keys[act] === name);
}

/** Out of a field: to the text it belongs to, else to the prompt. */
function leave({ page, main }, target) {
  if (!target.isConnected) return; // an empty line went with its field
  const column = page.columns.find(({ element }) => element.contains(target));
  if (column && target.closest("footer, .rewrite")) column.leaveField();
  else main.querySelector("#prompt")?.focus();
}

/** Pressed while the last answer is on its way: it must not become an answer to a task nobody has seen. */
function early(event, desk) {
  if (event.key.length > 1 && event.key !== "Enter") return;
  event.preventDefault();
  if (!event.repeat) desk.early += 1;
}

function run(event, desk, name, act) {
  if (!act) return;
  event.preventDefault();
  event.stopPropagation();
  if (event.repeat && !AGAIN.includes(name)) return;
  const said = act();
  if (typeof said === "string") announce(said);
}

const dialog = () => document.querySelector("dialog[open]");
const letters = () => document.getElementById("letters")?.checked ?? true;

/** The switch in the list of keys: for those who dictate, or whose reader wants the letters. */
export function letterSwitch(main) {
  const box = main.querySelector("#letters");
  if (!box) return;
  box.checked = localStorage.getItem("touchstone:letters") !== "off";
  box.addEventListener("change", () => localStorage.setItem("touchstone:letters", box.checked ? "on" : "off"));
}
