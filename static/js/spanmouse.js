// How a SpanEditor hears of the mouse, the focus and the keys.

import { onKey } from "./spankeys.js";

/** Attach everything to the page; the returned controller's abort() takes it off again. */
export function listen(editor) {
  const { root, bar } = editor;
  const controller = new AbortController();
  const on = (target, name, act) => target.addEventListener(name, act, { signal: controller.signal });
  let dragging = false;
  root.tabIndex = 0;
  root.setAttribute("role", "group");
  root.ariaLabel ??= "Text to mark";
  root.setAttribute("aria-description", "Press Enter to mark by keyboard.");
  for (const a of root.querySelectorAll("a")) a.draggable = false; // else a drag takes the link, not its words
  for (const place of [root, bar.element]) on(place, "keydown", (event) => onKey(editor, event));
  for (const name of ["focusin", "mousedown"]) on(document, name, ({ target }) => leave(editor, target));
  on(root, "mousedown", () => (dragging = true));
  on(root, "click", (event) => editor.range && event.preventDefault()); // a drag over a link does not follow it
  on(document, "mouseup", ({ target }) => {
    if (dragging) setTimeout(() => take(editor, target)); // after the browser has settled its selection
    dragging = false;
  });
  return controller;
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
