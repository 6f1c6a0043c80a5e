// The keys of SpanEditor, while focus is in the text (tabindex 0) or in its bar:
//   any time          Enter: keyboard mode · Ctrl+Z undo · Ctrl+Shift+Z or Ctrl+Y redo
//   a range is chosen 1–9, 0: mark it, or change the chosen mark · Shift+←/→: move its end · Alt+←/→: move its start
//                     Delete or Backspace: remove the chosen mark · Escape: let go
//   keyboard mode     ←/→: previous, next unit · ↑/↓: sentence · Home/End · w s c: unit is word, sentence, character
//                     n p: next, previous mark · Enter: to the bar, or to a mark's details
//                     Escape: leave
// In keyboard mode no key but Tab, ? and the browser's own Ctrl combinations leaves the text (stopPropagation). Outside it
// only keys that did something are stopped: a digit without a chosen range goes on to the page.

const first = (list, test) => list.find(test);
const last = (list, test) => list.findLast(test);

/** Step to the next (+1) or previous (−1) unit. */
function move(editor, step, kind = editor.unit) {
  const units = editor.map.units(kind);
  const at = editor.range ?? { start: 0, end: 0 };
  const found = step > 0 ? first(units, (unit) => unit.start >= at.end) : last(units, (unit) => unit.end <= at.start);
  if (found) editor.choose(found);
  else editor.announce("No more text.");
}

/** Up and down: to the first unit of the next or previous sentence. */
function moveSentence(editor, step) {
  const at = editor.range ?? { start: 0, end: 0 };
  const sentences = editor.map.units("sentence");
  const found = step > 0 ? first(sentences, (s) => s.start > at.start) : last(sentences, (s) => s.start < at.start);
  if (!found) return editor.announce("No more text.");
  editor.choose(first(editor.map.units(editor.unit), (unit) => unit.start >= found.start) ?? found);
}

function adjust(editor, range) {
  if (editor.selected) editor.update(editor.selected, range);
  else editor.choose(range);
}

function moveEnd(editor, step) {
  const units = editor.map.units(editor.unit);
  const { start, end } = editor.range;
  const unit = step > 0 ? first(units, (u) => u.end > end) : last(units, (u) => u.end < end && u.end > start);
  if (unit) adjust(editor, { start, end: unit.end });
}

function moveStart(editor, step) {
  const units = editor.map.units(editor.unit);
  const { start, end } = editor.range;
  const unit = step > 0 ? first(units, (u) => u.start > start && u.start < end) : last(units, (u) => u.start < start);
  if (unit) adjust(editor, { start: unit.start, end });
}

function setUnit(editor, kind) {
  editor.unit = kind;
  editor.announce(`By ${kind === "char" ? "character" : kind}.`);
}

/** To the next (+1) or previous (−1) mark, round and round. */
function moveMark(editor, step) {
  const { spans, selected } = editor;
  if (!spans.length) return editor.announce("No marks.");
  const at = spans.findIndex((span) => span.id === selected);
  editor.select(spans[(at + step + spans.length + (at < 0 && step < 0 ? 1 : 0)) % spans.length].id);
}

const ALWAYS = {
  "Ctrl+z": (editor) => editor.undo(),
  "Ctrl+Shift+z": (editor) => editor.redo(),
  "Ctrl+y": (editor) => editor.redo(),
};
const CHOSEN = {
  "Shift+ArrowRight": (editor) => moveEnd(editor, 1),
  "Shift+ArrowLeft": (editor) => moveEnd(editor, -1),
  "Alt+ArrowRight": (editor) => moveStart(editor, 1),
  "Alt+ArrowLeft": (editor) => moveStart(editor, -1),
  Delete: (editor) => editor.selected && editor.remove(editor.selected),
  Backspace: (editor) => editor.selected && editor.remove(editor.selected),
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
  Home: (editor) => editor.choose(editor.map.units(editor.unit)[0] ?? null),
  End: (editor) => editor.choose(editor.map.units(editor.unit).at(-1) ?? null),
  w: (editor) => setUnit(editor, "word"),
  s: (editor) => setUnit(editor, "sentence"),
  c: (editor) => setUnit(editor, "char"),
  n: (editor) => moveMark(editor, 1),
  p: (editor) => moveMark(editor, -1),
  Enter: (editor) => (editor.selected ? editor.tell("spanedit", { id: editor.selected }) : editor.bar.focus()),
  Escape: (editor) => editor.stopKeyboard(),
};

function nameOf(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${event.shiftKey ? "Shift+" : ""}${key}`;
}

function actFor(editor, name, inBar) {
  if (inBar && ["Enter", " "].includes(name)) return null; // a button's own keys
  const category = /^\d$/.test(name) && editor.range && editor.categories[(+name + 9) % 10];
  if (category) return () => editor.mark(category.key);
  if (name === "Enter" && !editor.keyboard) return (each) => each.startKeyboard();
  return ALWAYS[name] ?? (editor.range && CHOSEN[name]) ?? (editor.keyboard && KEYBOARD[name]);
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
  if (inBar) editor.root.focus();
  act(editor);
}
