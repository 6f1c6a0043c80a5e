// SpanEditor: marks error spans and omissions on a text that annotate/text rendered, by mouse, touch or keyboard. Offsets
// are code points of the raw text, so value() passes the server's check: raw[start:end] == quote.
//
//   <link rel="stylesheet" href="{% static 'css/text.css' %}">
//   <div class="text" id="left">{{ html }}</div>      html = annotate.text.render(raw), or plain(raw) for the raw view
//   import { SpanEditor } from "./spans.js";
//   const editor = new SpanEditor(element, { raw, categories: [{ key, label, color }], spans, onChange: (value) => … })
//     omissions: [{ at, note, severity }]: offers "missing here" as well; without it nothing of that is shown
//     rules: { shortest, one_type, priority }: spanrules.js · history: { undo, redo }: called in place of its own
//
//   add(start, end, category, { severity, note, correction }) → id, or null where a rule of the project refuses it
//   addOmission(at, { note, severity }) → id · update(id, { … }) and remove(id): a span or an omission · undo() · redo()
//   value() → [{ start, end, quote, category, severity, note, correction }] · spans: the same with their ids
//   missing() → [{ at, note, severity }] · omissions: the same with their ids; at null is "anywhere", and is not painted
//   setSpans(spans, omissions): all anew, nothing recorded, onChange not called; what is still there keeps its id
//   show(element): the other view of the same text in place of this one, with marks, undo, focus and scroll place
//   select(id) · startKeyboard() · stopKeyboard() · destroy(): before another editor takes the element
//   own.add(element): going there with focus or mouse does not let go of the chosen mark (a list of marks with notes)
//   events on the element, bubbling: "spanschange" { value } · "spanselect" { id } · "spanedit" { id }: to its details,
//     and where omissions are offered "omissionschange", "omissionselect", "omissionedit"
//   `color` is any CSS colour, else the palette's. The bar of categories comes by itself; spankeys.js lists the keys.

import { Bar } from "./spanbar.js";
import { MarkedText, rangeOf } from "./spanedit.js";
import { listen } from "./spanmouse.js";
import { paint, paintChosen, unpaint } from "./spanpaint.js";
import { backTo, reveal, showPending, topOf } from "./spanplace.js";
import { brief, nameOf, where } from "./spanwords.js";
import { prepare } from "./textunits.js";

export class SpanEditor extends MarkedText {
  constructor(root, options) {
    super(root, options);
    this.range = null; // {start, end} chosen and not yet marked, or of the chosen mark
    this.selected = null; // id of the chosen span or omission
    this.keyboard = false;
    this.unit = "word";
    this.bar = new Bar(this);
    this.own = new Set([root, this.bar.element]); // going elsewhere lets go of what is chosen
    this.listening = listen(this);
    paint(this);
    prepare(this.map);
  }

  /** What a key for marks acts on: the chosen mark, else the one on just the chosen words. */
  get target() {
    return this.marks.get(this.selected) ?? (this.range && this.marks.on(this.range));
  }

  letGo() {
    [this.range, this.selected] = [this.keyboard ? this.range : null, null]; // by keyboard one goes on from here
  }

  /** Choose a range that is not yet a mark, or nothing. */
  choose(range) {
    this.#take(range, null);
    if (range) this.announce(range.start < range.end ? brief(this.map.quote(range.start, range.end)) : where({ at: range.end }, this.map));
  }

  /** Choose a mark: it can then be changed, moved or removed. */
  select(id) {
    const mark = this.marks.get(id);
    if (!mark) return this.choose(null);
    this.#take(rangeOf(mark) ?? this.range, id);
    this.announce(nameOf(mark, this));
  }

  #take(range, selected) {
    const other = selected !== this.selected;
    [this.range, this.selected] = [range, selected];
    showPending(this);
    if (other) paintChosen(this);
    this.bar.explain("");
    this.bar.show();
    if (selected || this.keyboard) reveal(this);
    if (!other) return;
    const among = (marks) => ({ id: marks.some(({ id }) => id === selected) ? selected : null });
    this.tell("spanselect", among(this.spans));
    if (this.offersMissing) this.tell("omissionselect", among(this.omissions));
  }

  /** Mark the chosen range, or give the chosen span another category. */
  mark(category) {
    const { range, selected } = this;
    if (range.start === range.end || "at" in (this.target ?? {})) return this.announce("Choose words first.");
    if (selected) return this.update(selected, { category });
    this.letGo();
    if (this.marks.on(range, category)) this.changed("Marked already."); // a key pressed twice
    else if (!this.add(range.start, range.end, category)) return (this.range = range);
    getSelection().removeAllRanges();
  }

  /** "Something is missing here": behind what is chosen, else anywhere; then to its details. */
  miss() {
    const id = this.addOmission(this.range?.end ?? null);
    getSelection().removeAllRanges();
    this.select(id);
    this.tell("omissionedit", { id });
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

  show(root) {
    if (root === this.root) return;
    const [old, on, focused] = [this.root, this.keyboard, this.root === document.activeElement];
    const anchor = topOf(this.map, this.anchor);
    unpaint(this);
    this.listening.abort();
    this.#keys(false);
    this.own.delete(old);
    this.own.add(root);
    [old.hidden, root.hidden, this.root] = [true, false, root];
    this.listening = listen(this);
    this.#keys(on);
    paint(this);
    if (focused) root.focus({ preventScroll: true });
    this.anchor = backTo(this.map, anchor);
    this.bar.show();
    prepare(this.map);
  }

  destroy() {
    this.stopKeyboard();
    this.listening.abort();
    unpaint(this);
    this.bar.remove();
  }
}
