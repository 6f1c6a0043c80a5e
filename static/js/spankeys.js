// The keys of SpanEditor, while focus is in the text (tabindex 0) or in its bar:
//   any time          Enter: keyboard mode · Ctrl+Z undo · Ctrl+Shift+Z or Ctrl+Y redo
//   a range is chosen 1–9, 0: mark it, or change the chosen mark · + −: how bad the mark on it is · o: missing behind it
//                     Shift+←/→: move its end · Alt+←/→: move its start (a chosen omission: both move its place)
//                     Delete or Backspace: remove the mark on it · Escape: let go
//   keyboard mode     ←/→: previous, next unit · ↑/↓: sentence · Home/End · w s c: unit is word, sentence, character
//                     n p: next, previous mark · Enter: to the bar, or to a mark's details
//                     Escape: leave
//   for a left hand   a d: previous, next unit · q e: sentence · Shift+a d: its end · Shift+q e: its start · g: next mark
//                     r f: worse, less bad · v: missing behind it · x: remove
// In keyboard mode no key but Tab, ? and the browser's own Ctrl combinations leaves the text (stopPropagation). Outside it
// only keys that did something are stopped: a digit without a chosen range goes on to the page.

import { move, moveEnd, moveFar, moveMark, moveSentence, moveStart } from "./spanmoves.js";

function setUnit(editor, kind) {
  editor.unit = kind;
  editor.announce(`By ${kind === "char" ? "character" : kind}.`);
}

/** One level more (+1) or less (−1) of severity; below the least is none. */
function worsen(editor, step) {
  const severity = Math.max(0, Math.min(3, (editor.target.severity ?? 0) + step)) || null;
  editor.update(editor.target.id, { severity });
}

function details(editor) {
  const { target } = editor;
  if (!target) editor.bar.focus();
  else editor.tell("at" in target ? "omissionedit" : "spanedit", { id: target.id });
}

const ALWAYS = {
  "Ctrl+z": (editor) => editor.undo(),
  "Ctrl+Shift+z": (editor) => editor.redo(),
  "Ctrl+y": (editor) => editor.redo(),
};
const TARGET = {
  "+": (editor) => worsen(editor, 1),
  "=": (editor) => worsen(editor, 1),
  "-": (editor) => worsen(editor, -1),
  Delete: (editor) => editor.remove(editor.target.id),
  Backspace: (editor) => editor.remove(editor.target.id),
};
// Beside the arrows and signs, in keyboard mode: one left hand finds everything it needs.
const LEFT = {
  a: "ArrowLeft", d: "ArrowRight", q: "ArrowUp", e: "ArrowDown", g: "n", v: "o", x: "Delete", r: "+", f: "-",
  "Shift+a": "Shift+ArrowLeft", "Shift+d": "Shift+ArrowRight", "Shift+q": "Alt+ArrowLeft", "Shift+e": "Alt+ArrowRight",
};
const CHOSEN = {
  "Shift+ArrowRight": (editor) => moveEnd(editor, 1),
  "Shift+ArrowLeft": (editor) => moveEnd(editor, -1),
  "Alt+ArrowRight": (editor) => moveStart(editor, 1),
  "Alt+ArrowLeft": (editor) => moveStart(editor, -1),
  Escape: (editor) => {
    if (editor.keyboard && !editor.selected) editor.stopKeyboard();
    else editor.choose(editor.keyboard ? editor.range : null);
  },
};
const KEYBOARD = {
  ArrowRight: (editor) => move(editor, 1),
  ArrowLeft: (editor) => move(editor, -1),
  ArrowDown: (editor) => moveSentence(editor, 1),
  ArrowUp: (editor) => moveSentence(editor, -1),
  Home: (editor) => moveFar(editor, false),
  End: (editor) => moveFar(editor, true),
  w: (editor) => setUnit(editor, "word"),
  s: (editor) => setUnit(editor, "sentence"),
  c: (editor) => setUnit(editor, "char"),
  n: (editor) => moveMark(editor, 1),
  p: (editor) => moveMark(editor, -1),
  Enter: details,
  Escape: (editor) => editor.stopKeyboard(),
};

/** Shift counts with letters and arrows; where a sign or a digit is on the keyboard is the keyboard's matter. */
function nameOf(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const shift = event.shiftKey && (key.length > 1 || /\p{L}/u.test(key));
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${shift ? "Shift+" : ""}${key}`;
}

function actFor(editor, key, inBar) {
  if (inBar && ["Enter", " "].includes(key)) return null; // a button's own keys
  const name = (editor.keyboard && LEFT[key]) || key;
  const { range, keyboard, target, offersMissing } = editor;
  const category = /^\d$/.test(name) && range && editor.categories[(+name + 9) % 10];
  if (category) return () => editor.mark(category.key);
  if (name === "o" && range && offersMissing) return () => editor.miss();
  if (name === "Enter" && !keyboard) return () => editor.startKeyboard();
  return ALWAYS[name] ?? (target && TARGET[name]) ?? (range && CHOSEN[name]) ?? (keyboard && KEYBOARD[name]);
}

/** Act on a key; what was used, and in keyboard mode any plain key but Tab, goes no further. */
export function onKey(editor, event) {
  const inBar = editor.bar.element.contains(event.target);
  if (event.target.closest("a[href]") && event.key === "Enter") return;
  const act = actFor(editor, nameOf(event), inBar);
  const ours = editor.keyboard && !["Tab", "?"].includes(event.key) && !event.ctrlKey && !event.metaKey;
  if (act || ours) event.stopPropagation();
  if (!act) return;
  event.preventDefault();
  if (inBar) editor.root.focus({ preventScroll: true });
  act(editor);
}
