// SpanEditor: marks error spans on a text rendered by annotate/text.py, by mouse or keyboard, in code points of the raw text.
//
//   import { SpanEditor } from "./spans.js";          and <link rel="stylesheet" href="{% static 'css/text.css' %}">
//   <div class="text" id="left">{{ html }}</div>      where html = annotate.text.render(raw), or plain(raw) for the raw view
//   const editor = new SpanEditor(element, {raw, categories: [{key, label, color}], spans: draft, onChange: (value) => …});
//
//   add(start, end, category, {severity, note, correction}) → id   update(id, {…})   remove(id)   undo()   redo()   select(id)
//   value() → [{start, end, quote, category, severity, note, correction}]     spans: the same with their ids
//   startKeyboard()   stopKeyboard()   destroy() (before another editor takes the element, as for a raw/rendered switch)
//   Events on the element (they bubble): "spanschange" {value} · "spanselect" {id} · "spanedit" {id}: open its details.
//   `color` may be any CSS colour; left out, the palette's. SpanList (spanlist.js) shows the marks with severity and notes.
//
// Keys. The element takes focus (tabindex 0). Keys in the first two rows count only while focus is in the text or its bar.
//   any time          Enter: keyboard mode · Ctrl+Z undo · Ctrl+Shift+Z or Ctrl+Y redo
//   a range is chosen 1–9, 0: mark it (or change a chosen mark) · Shift+←/→: move its end · Alt+←/→: move its start
//                     Delete or Backspace: remove a chosen mark · Escape: let go
//   keyboard mode     ←/→: previous, next unit · ↑/↓: sentence · Home/End · w s c: unit is word, sentence, character
//                     n p: next, previous mark · Enter: to the bar, or the details of a mark · ?: say the keys · Escape: leave
// In keyboard mode every key but Tab and the browser's own Ctrl combinations stays here (stopPropagation). Outside it, only
// keys that did something are stopped: digits without a chosen range go on to the page.

import { Bar } from "./spanbar.js";
import { onKey } from "./spankeys.js";
import { paint, showPending } from "./spanpaint.js";
import { TextMap } from "./textmap.js";

let numbered = 0;
const brief = (text) => (text.length > 80 ? `${text.slice(0, 79)}…` : text);

export class SpanEditor {
  constructor(root, { raw, categories, spans = [], onChange = () => {} }) {
    this.root = root;
    this.onChange = onChange;
    this.categories = categories.map((category, i) => ({ ...category, color: category.color ?? `var(--c${(i % 8) + 1})`, index: i }));
    this.map = new TextMap(root, raw);
    this.spans = spans.map((span) => this.#span(span));
    this.past = [];
    this.future = [];
    this.range = null; // {start, end} chosen and not yet marked, or of the selected mark
    this.selected = null; // id of the chosen mark
    this.keyboard = false;
    this.unit = "word";
    this.bar = new Bar(this);
    this.own = new Set([root, this.bar.element]); // going elsewhere lets go of what is chosen
    this.#listen();
    paint(this);
  }

  #span({ start, end, category, severity = null, note = "", correction = "" }) {
    if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start < end && end <= this.map.points.length))
      throw new RangeError(`No span ${start}–${end} in a text of ${this.map.points.length} code points.`);
    if (!this.category(category)) throw new RangeError(`No category ${category}.`);
    return { id: `span-${(numbered += 1)}`, start, end, quote: this.map.quote(start, end), category, severity, note, correction };
  }

  category(key) {
    return this.categories.find((category) => category.key === key);
  }

  value() {
    return this.spans.map(({ id, ...span }) => span);
  }

  add(start, end, category, details = {}) {
    const span = this.#span({ ...details, start, end, category });
    this.#commit([...this.spans, span], `Marked “${brief(span.quote)}” as ${this.category(category).label}.`);
    return span.id;
  }

  update(id, changes) {
    const old = this.spans.find((span) => span.id === id);
    const span = { ...this.#span({ ...old, ...changes }), id };
    if (id === this.selected) this.range = { start: span.start, end: span.end };
    this.#commit(this.spans.map((each) => (each === old ? span : each)), `${this.category(span.category).label}: “${brief(span.quote)}”.`);
  }

  remove(id) {
    const gone = this.spans.find((span) => span.id === id);
    this.#letGo();
    this.#commit(this.spans.filter((span) => span !== gone), `Removed the mark on “${brief(gone.quote)}”.`);
  }

  undo() {
    this.#travel(this.past, this.future, "Undone.");
  }

  redo() {
    this.#travel(this.future, this.past, "Done again.");
  }

  #letGo() {
    this.selected = null;
    if (!this.keyboard) this.range = null; // by keyboard one goes on from the same place
  }

  #travel(from, to, said) {
    if (!from.length) return this.announce("Nothing more.");
    to.push(this.spans);
    this.#letGo();
    this.#show(from.pop(), said);
  }

  #commit(spans, said) {
    this.past.push(this.spans);
    this.future = [];
    this.#show(spans, said);
  }

  #show(spans, said) {
    this.spans = [...spans].sort((a, b) => a.start - b.start || a.end - b.end);
    paint(this);
    this.bar.show();
    this.announce(`${said} ${this.spans.length} ${this.spans.length === 1 ? "mark" : "marks"}.`);
    this.onChange(this.value());
    this.#tell("spanschange", { value: this.value() });
  }

  #tell(name, detail) {
    this.root.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
  }

  announce(text) {
    this.bar.live.textContent = text;
  }

  /** Choose a range that is not yet a mark, or nothing. */
  choose(range, said) {
    const changed = this.selected !== null;
    [this.range, this.selected] = [range, null];
    if (changed) paint(this);
    showPending(this);
    this.bar.show();
    if (changed) this.#tell("spanselect", { id: null });
    if (range) this.announce(said ?? `“${brief(this.map.quote(range.start, range.end))}”`);
  }

  /** Choose a mark: it can then be changed, moved or removed. */
  select(id) {
    const span = this.spans.find((each) => each.id === id);
    if (!span) return this.choose(null);
    [this.range, this.selected] = [{ start: span.start, end: span.end }, id];
    paint(this);
    this.bar.show();
    this.announce(`${this.category(span.category).label}: “${brief(span.quote)}”.`);
    this.#tell("spanselect", { id });
  }

  /** Mark the chosen range, or give the chosen mark another category. */
  mark(category) {
    if (this.selected) return this.update(this.selected, { category });
    const { start, end } = this.range;
    if (!this.keyboard) this.range = null;
    getSelection().removeAllRanges();
    this.add(start, end, category);
  }

  /** Move an edge of what is chosen. */
  adjust(range) {
    if (this.selected) this.update(this.selected, range);
    else this.choose(range);
  }

  edit() {
    this.#tell("spanedit", { id: this.selected });
  }

  startKeyboard() {
    this.keyboard = true;
    this.root.focus();
    this.root.setAttribute("role", "application");
    this.root.classList.add("keyboard");
    if (!this.range) this.choose(this.map.units(this.unit)[0] ?? null);
    this.announce("Marking by keyboard. Arrows move, Shift or Alt with an arrow moves an edge, a digit marks, question mark says the keys.");
  }

  stopKeyboard() {
    this.keyboard = false;
    this.root.setAttribute("role", "group");
    this.root.classList.remove("keyboard");
    this.choose(null);
  }

  destroy() {
    this.choose(null);
    this.listening.abort();
    this.bar.remove();
  }

  #listen() {
    const { signal } = (this.listening = new AbortController());
    const on = (target, name, act) => target.addEventListener(name, act, { signal });
    this.root.tabIndex = 0;
    this.root.setAttribute("role", "group");
    this.root.querySelectorAll("a").forEach((a) => (a.draggable = false)); // else a drag takes the link, not its words
    for (const place of [this.root, this.bar.element]) on(place, "keydown", (event) => onKey(this, event));
    on(this.root, "mousedown", () => (this.dragging = true));
    on(document, "mouseup", (event) => this.dragging && setTimeout(() => this.#released(event.target)));
    on(this.root, "click", (event) => this.range && event.preventDefault());
    for (const name of ["focusin", "mousedown"]) on(document, name, ({ target }) => this.#left(target));
  }

  #left(target) {
    if ([...this.own].some((place) => place.contains(target))) return;
    if (this.keyboard) this.stopKeyboard();
    else if (this.range) this.choose(null);
  }

  #released(target) {
    this.dragging = false;
    const selection = getSelection();
    const range = selection.rangeCount && !selection.isCollapsed ? this.map.offsets(selection.getRangeAt(0)) : null;
    if (range) return this.choose(range);
    const here = target.closest?.("[data-spans]")?.dataset.spans.split(" ") ?? [];
    this.select(here[(here.indexOf(this.selected) + 1) % here.length]); // a second click takes the next of several marks
  }
}
