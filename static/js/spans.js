// SpanEditor: marks error spans on a text that annotate/text.py rendered, by mouse or keyboard. Offsets are code points
// of the raw text, so value() passes the server's check: raw[start:end] == quote.
//
//   <link rel="stylesheet" href="{% static 'css/text.css' %}">
//   <div class="text" id="left">{{ html }}</div>      html = annotate.text.render(raw), or plain(raw) for the raw view
//   import { SpanEditor } from "./spans.js";
//   const editor = new SpanEditor(element, { raw, categories: [{ key, label, color }], spans, onChange: (value) => … })
//
//   add(start, end, category, { severity, note, correction }) → id · update(id, { … }) · remove(id) · undo() · redo()
//   value() → [{ start, end, quote, category, severity, note, correction }] · spans: the same with their ids
//   select(id) · startKeyboard() · stopKeyboard() · destroy(): before another editor takes the element
//   own.add(element): going there with focus or mouse does not let go of the chosen mark (a list of marks with notes)
//   events on the element, bubbling: "spanschange" { value } · "spanselect" { id } · "spanedit" { id }: open its details
//   `color` is any CSS colour; without it the palette's. The bar with the category buttons comes by itself.
//
// Keys, while focus is in the text (tabindex 0) or in its bar:
//   any time          Enter: keyboard mode · Ctrl+Z undo · Ctrl+Shift+Z or Ctrl+Y redo
//   a range is chosen 1–9, 0: mark it, or change the chosen mark · Shift+←/→: move its end · Alt+←/→: move its start
//                     Delete or Backspace: remove the chosen mark · Escape: let go
//   keyboard mode     ←/→: previous, next unit · ↑/↓: sentence · Home/End · w s c: unit is word, sentence, character
//                     n p: next, previous mark · Enter: to the bar, or to a mark's details · ?: say the keys
//                     Escape: leave
// In keyboard mode no key but Tab and the browser's own Ctrl combinations leaves the text (stopPropagation). Outside it
// only keys that did something are stopped: a digit without a chosen range goes on to the page.

import { Bar } from "./spanbar.js";
import { Marks } from "./spanmarks.js";
import { listen } from "./spanmouse.js";
import { paint, showPending } from "./spanpaint.js";
import { TextMap } from "./textmap.js";

const brief = (text) => `“${text.length > 80 ? `${text.slice(0, 79)}…` : text}”`;

export class SpanEditor {
  constructor(root, { raw, categories, spans = [], onChange = () => {} }) {
    this.root = root;
    this.onChange = onChange;
    const colour = (i) => `var(--c${(i % 8) + 1})`;
    this.categories = categories.map((category, i) => ({ color: colour(i), ...category, index: i }));
    this.map = new TextMap(root, raw);
    this.marks = new Marks(this.map, categories, spans);
    this.range = null; // {start, end} chosen and not yet marked, or of the chosen mark
    this.selected = null; // id of the chosen mark
    this.keyboard = false;
    this.unit = "word";
    this.bar = new Bar(this);
    this.own = new Set([root, this.bar.element]); // going elsewhere lets go of what is chosen
    this.listening = listen(this);
    paint(this);
  }

  get spans() {
    return this.marks.list;
  }

  category(key) {
    return this.categories.find((category) => category.key === key);
  }

  value() {
    return this.spans.map(({ id, ...span }) => span);
  }

  add(start, end, category, details = {}) {
    const span = this.marks.add({ ...details, start, end, category });
    this.#changed(`Marked ${brief(span.quote)} as ${this.category(category).label}.`);
    return span.id;
  }

  update(id, changes) {
    const span = this.marks.change(id, changes);
    if (id === this.selected) this.range = { start: span.start, end: span.end };
    this.#changed(`${this.category(span.category).label}: ${brief(span.quote)}.`);
  }

  remove(id) {
    this.#letGo();
    this.#changed(`Removed the mark on ${brief(this.marks.drop(id).quote)}.`);
  }

  undo() {
    this.#letGo();
    if (this.marks.undo()) this.#changed("Undone.");
    else this.announce("Nothing to undo.");
  }

  redo() {
    this.#letGo();
    if (this.marks.redo()) this.#changed("Done again.");
    else this.announce("Nothing to do again.");
  }

  #letGo() {
    this.selected = null;
    if (!this.keyboard) this.range = null; // by keyboard one goes on from the same place
  }

  #changed(said) {
    paint(this);
    this.bar.show();
    this.announce(`${said} ${this.spans.length} ${this.spans.length === 1 ? "mark" : "marks"}.`);
    this.onChange(this.value());
    this.tell("spanschange", { value: this.value() });
  }

  tell(name, detail) {
    this.root.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
  }

  announce(text) {
    this.bar.live.textContent = text;
  }

  /** Choose a range that is not yet a mark, or nothing. */
  choose(range) {
    const changed = this.selected !== null;
    [this.range, this.selected] = [range, null];
    if (changed) paint(this);
    showPending(this);
    this.bar.show();
    if (changed) this.tell("spanselect", { id: null });
    if (range) this.announce(brief(this.map.quote(range.start, range.end)));
  }

  /** Choose a mark: it can then be changed, moved or removed. */
  select(id) {
    const span = this.marks.get(id);
    if (!span) return this.choose(null);
    [this.range, this.selected] = [{ start: span.start, end: span.end }, id];
    paint(this);
    this.bar.show();
    this.announce(`${this.category(span.category).label}: ${brief(span.quote)}.`);
    this.tell("spanselect", { id });
  }

  /** Mark the chosen range, or give the chosen mark another category. */
  mark(category) {
    if (this.selected) return this.update(this.selected, { category });
    const { start, end } = this.range;
    if (!this.keyboard) this.range = null;
    getSelection().removeAllRanges();
    this.add(start, end, category);
  }

  startKeyboard() {
    this.keyboard = true;
    this.root.focus();
    this.root.setAttribute("role", "application");
    this.root.classList.add("keyboard");
    if (!this.range) this.choose(this.map.units(this.unit)[0] ?? null);
    this.announce("Marking by keyboard: arrows move, a digit marks, question mark says the keys.");
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
}
