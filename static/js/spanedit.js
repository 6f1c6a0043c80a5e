// What a SpanEditor (spans.js) does with marks: add, change, remove, undo. Drawing and choosing are the editor's.

import { Marks } from "./spanmarks.js";
import { paint } from "./spanpaint.js";
import { brief, count, nameOf, SEVERITIES, where } from "./spanwords.js";
import { TextMap } from "./textmap.js";

const MOVES = ["start", "end", "category", "at"];

export class MarkedText {
  constructor(root, { raw, categories, spans = [], omissions = null, rules = {}, history = null, onChange = () => {} }) {
    Object.assign(this, { root, raw, history, onChange, rules, offersMissing: Boolean(omissions), maps: new Map() });
    this.categories = categories.map((category, i) => ({ color: `var(--c${(i % 8) + 1})`, ...category, index: i }));
    this.marks = new Marks(this.map, { rules, categories }, spans, omissions ?? []);
  }

  get map() {
    if (!this.maps.has(this.root)) this.maps.set(this.root, new TextMap(this.root, this.raw));
    return this.maps.get(this.root);
  }

  get spans() {
    return this.marks.now.spans;
  }

  get omissions() {
    return this.marks.now.omissions;
  }

  category = (key) => this.categories.find((category) => category.key === key);
  value = () => this.spans.map(({ id, ...span }) => span);
  missing = () => this.omissions.map(({ id, ...omission }) => omission);
  announce = (text) => (this.bar.live.textContent = text);
  tell = (name, detail) => this.root.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
  undo = () => (this.history ? this.history.undo() : this.#travel("undo", "Undone."));
  redo = () => (this.history ? this.history.redo() : this.#travel("redo", "Done again."));

  /** The new mark's id, or null where a rule of the project refuses it. */
  add(start, end, category, details = {}) {
    const { mark, said } = this.marks.put({ ...details, start, end, category });
    if (!mark) return this.explain(said);
    this.changed(`Marked ${brief(mark.quote)} as ${this.category(mark.category).label}.`, said);
    return mark.id;
  }

  addOmission(at, details = {}) {
    const { mark } = this.marks.put({ severity: null, note: "", ...details, at: this.map.gap(at) });
    this.changed(`Something is missing ${where(mark, this.map)}.`);
    return mark.id;
  }

  update(id, changes) {
    const old = this.marks.get(id);
    if ("at" in changes) changes = { ...changes, at: this.map.gap(changes.at) };
    const moved = MOVES.some((name) => name in changes && changes[name] !== old[name]);
    const { mark, said } = this.marks[moved ? "put" : "change"]({ ...old, ...changes }, `${id} ${Object.keys(changes)}`);
    if (!mark) return this.explain(said);
    if (id === this.selected) this.range = rangeOf(mark) ?? this.range;
    this.changed("note" in changes || "correction" in changes ? "" : this.#became(mark, changes), said);
    return id;
  }

  remove(id) {
    const name = nameOf(this.marks.get(id), this);
    this.letGo();
    this.marks.drop(id);
    this.changed(`Removed. ${name}`);
  }

  setSpans(spans, omissions = this.missing()) {
    this.marks.replace(spans, omissions);
    const chosen = this.marks.get(this.selected);
    if (this.selected && !chosen) this.letGo();
    else if (chosen) this.range = rangeOf(chosen) ?? this.range;
    this.redraw();
  }

  /** Say, aloud and on the screen, why nothing came of it. */
  explain(said) {
    this.bar.explain(said);
    this.announce(said);
    return null;
  }

  changed(said, rule = "") {
    this.redraw();
    this.bar.explain(rule);
    if (said) this.announce([said, rule, count(this)].filter(Boolean).join(" "));
    this.onChange(this.value());
  }

  redraw() {
    paint(this);
    this.bar.show();
    this.tell("spanschange", { value: this.value() });
    if (this.offersMissing) this.tell("omissionschange", { value: this.missing() });
  }

  #became(mark, changes) {
    return "severity" in changes ? `Severity: ${SEVERITIES[mark.severity ?? 0]}.` : nameOf(mark, this);
  }

  #travel(way, said) {
    this.letGo();
    if (this.marks[way]()) this.changed(said);
    else this.announce(`Nothing to ${way}.`);
  }
}

/** What is chosen with a mark; null for what is missing anywhere. */
export function rangeOf({ start, end, at }) {
  if (at === undefined) return { start, end };
  return at === null ? null : { start: at, end: at };
}
