// SpanEditor: marks error spans on a text that annotate/text rendered, by mouse or keyboard. Offsets are code points
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
//   events on the element, bubbling: "spanschange" { value } · "spanselect" { id } · "spanedit" { id }: to its details
//   `color` is any CSS colour, else the palette's. The bar of categories comes by itself; spankeys.js lists the keys.

import { Bar } from "./spanbar.js";
import { Marks } from "./spanmarks.js";
import { listen } from "./spanmouse.js";
import { paint, reveal, showPending } from "./spanpaint.js";
import { TextMap } from "./textmap.js";

const brief = (text) => `“${text.length > 80 ? `${text.slice(0, 79)}…` : text}”`;

export class SpanEditor {
  constructor(root, { raw, categories, spans = [], onChange = () => {} }) {
    this.root = root;
    this.onChange = onChange;
    this.categories = categories.map((category, i) => ({ color: `var(--c${(i % 8) + 1})`, ...category, index: i }));
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

  category = (key) => this.categories.find((category) => category.key === key);
  value = () => this.spans.map(({ id, ...span }) => span);
  announce = (text) => (this.bar.live.textContent = text);
  tell = (name, detail) => this.root.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));

  add(start, end, category, details = {}) {
    const span = this.marks.add({ ...details, start, end, category });
    this.#changed(`Marked ${brief(span.quote)} as ${this.category(category).label}.`);
    return span.id;
  }

  update(id, changes) {
    const span = this.marks.change(id, changes);
    if (id === this.selected) this.range = { start: span.start, end: span.end };
    this.#changed("note" in changes || "correction" in changes ? "" : this.#name(span));
  }

  remove(id) {
    this.#letGo();
    this.#changed(`Removed the mark on ${brief(this.marks.drop(id).quote)}.`);
  }

  undo = () => this.#travel("undo", "Undone.");
  redo = () => this.#travel("redo", "Done again.");

  #travel(way, said) {
    this.#letGo();
    if (this.marks[way]()) this.#changed(said);
    else this.announce(`Nothing to ${way}.`);
  }

  #name(span) {
    return `${this.category(span.category).label}: ${brief(span.quote)}.`;
  }

  #letGo() {
    [this.range, this.selected] = [this.keyboard ? this.range : null, null]; // by keyboard one goes on from here
  }

  #changed(said) {
    paint(this);
    this.bar.show();
    if (said) this.announce(`${said} ${this.spans.length} ${this.spans.length === 1 ? "mark" : "marks"}.`);
    this.onChange(this.value());
    this.tell("spanschange", { value: this.value() });
  }

  /** Choose a range that is not yet a mark, or nothing. */
  choose(range) {
    this.#take(range, null);
    if (range) this.announce(brief(this.map.quote(range.start, range.end)));
  }

  /** Choose a mark: it can then be changed, moved or removed. */
  select(id) {
    const span = this.marks.get(id);
    if (!span) return this.choose(null);
    this.#take({ start: span.start, end: span.end }, id);
    this.announce(this.#name(span));
  }

  #take(range, selected) {
    const other = selected !== this.selected;
    [this.range, this.selected] = [range, selected];
    if (other) paint(this);
    else showPending(this);
    this.bar.show();
    if (selected || this.keyboard) reveal(this);
    if (other) this.tell("spanselect", { id: selected });
  }

  /** Mark the chosen range, or give the chosen mark another category. */
  mark(category) {
    if (this.selected) return this.update(this.selected, { category });
    const { start, end } = this.range;
    this.#letGo();
    getSelection().removeAllRanges();
    if (this.marks.has(start, end, category)) return this.#changed("Marked already."); // a key pressed twice
    this.add(start, end, category);
  }

  startKeyboard() {
    this.#keys(true);
    this.root.focus({ preventScroll: true });
    this.choose(this.range ?? (this.map.sees(this.place) ? this.place : this.map.firstSeen(this.unit)));
    this.announce(`Marking by keyboard. ${this.bar.live.textContent}`);
  }

  stopKeyboard() {
    this.place = this.range; // to go on from
    this.#keys(false);
    this.choose(null);
  }

  #keys(on) {
    this.keyboard = on;
    this.root.setAttribute("role", on ? "application" : "group");
    this.root.classList.toggle("keyboard", on);
  }

  destroy() {
    this.stopKeyboard();
    this.listening.abort();
    this.bar.remove();
  }
}
