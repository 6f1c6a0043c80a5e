// How a SpanEditor hears of the mouse, of touch, the focus and the keys.

import { onKey } from "./spankeys.js";

const SETTLED = 150; // ms without a change: a selection that grows under a finger is taken when it rests

/** Attach everything to the page; the returned controller's abort() takes it off again. */
export function listen(editor) {
  const { root, bar } = editor;
  const controller = new AbortController();
  const on = (target, name, act) => target.addEventListener(name, act, { signal: controller.signal });
  let [dragging, timer] = [false, null];
  prepare(root);
  for (const place of [root, bar.element]) on(place, "keydown", (event) => onKey(editor, event));
  for (const name of ["focusin", "mousedown"]) on(document, name, ({ target }) => leave(editor, target));
  on(document, "pointerdown", ({ pointerType }) => (editor.touched = pointerType !== "mouse"));
  on(root, "mousedown", () => (dragging = true));
  on(root, "click", (event) => editor.range && event.preventDefault()); // a drag over a link does not follow it
  on(document, "mouseup", ({ target }) => {
    if (dragging) setTimeout(() => take(editor, target)); // after the browser has settled its selection
    dragging = false;
  });
  on(document, "selectionchange", () => {
    clearTimeout(timer);
    if (editor.touched && !dragging) timer = setTimeout(() => grasp(editor), SETTLED); // a long press makes no mouseup
  });
  controller.signal.addEventListener("abort", () => clearTimeout(timer));
  return controller;
}

function prepare(root) {
  root.tabIndex = 0;
  root.setAttribute("role", "group");
  root.ariaLabel ??= "Text to mark";
  root.setAttribute("aria-description", "Press Enter to mark by keyboard.");
  for (const a of root.querySelectorAll("a")) a.draggable = false; // else a drag takes the link, not its words
}

function leave(editor, target) {
  if ([...editor.own].some((place) => place.contains(target))) return;
  if (editor.keyboard) editor.stopKeyboard();
  else if (editor.range) editor.choose(null);
}

/** What was dragged over becomes the choice; a click takes the mark under it. */
function take(editor, target) {
  const selection = getSelection();
  const range = selection.isCollapsed ? null : editor.map.offsets(selection.getRangeAt(0));
  if (range) return editor.choose(range);
  const here = target.closest?.("[data-spans]")?.dataset.spans.split(" ") ?? [];
  editor.select(here[(here.indexOf(editor.selected) + 1) % here.length]); // a second click: the next of several marks
}

/** What was selected by a long press and its handles. */
function grasp(editor) {
  const selection = getSelection();
  if (selection.isCollapsed || ![selection.anchorNode, selection.focusNode].every((node) => editor.root.contains(node))) return;
  const range = editor.map.offsets(selection.getRangeAt(0));
  if (range) editor.choose(range);
}
