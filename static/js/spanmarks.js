// The marks of one text with their undo and redo: no page, no events.

let numbered = 0;

export class Marks {
  constructor(map, categories, spans) {
    this.map = map;
    this.categories = categories;
    this.list = sorted(spans.map((span) => this.#span(span)));
    this.past = [];
    this.future = [];
  }

  #span({ start, end, category, severity = null, note = "", correction = "" }) {
    const length = this.map.points.length;
    if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start < end && end <= length))
      throw new RangeError(`No span ${start}–${end} in a text of ${length} code points.`);
    if (!this.categories.some(({ key }) => key === category)) throw new RangeError(`No category ${category}.`);
    const quote = this.map.quote(start, end);
    return { id: `span-${(numbered += 1)}`, start, end, quote, category, severity, note, correction };
  }

  get(id) {
    return this.list.find((span) => span.id === id);
  }

  has(start, end, category) {
    return this.list.some((span) => span.start === start && span.end === end && span.category === category);
  }

  add(span) {
    const added = this.#span(span);
    this.#commit([...this.list, added]);
    return added;
  }

  change(id, changes) {
    const old = this.get(id);
    const span = { ...this.#span({ ...old, ...changes }), id };
    const typing = "note" in changes || "correction" in changes ? `${id} ${Object.keys(changes)}` : null;
    this.#commit(this.list.map((each) => (each === old ? span : each)), typing);
    return span;
  }

  drop(id) {
    const gone = this.get(id);
    this.#commit(this.list.filter((span) => span !== gone));
    return gone;
  }

  undo() {
    return this.#travel(this.past, this.future);
  }

  redo() {
    return this.#travel(this.future, this.past);
  }

  /** Letters typed one after another into one field are undone together. */
  #commit(spans, typing = null) {
    if (!typing || typing !== this.typing) this.past.push(this.list);
    this.typing = typing;
    this.future = [];
    this.list = sorted(spans);
  }

  /** Was there anywhere to go? */
  #travel(from, to) {
    if (!from.length) return false;
    to.push(this.list);
    this.typing = null;
    this.list = from.pop();
    return true;
  }
}

const sorted = (spans) => [...spans].sort((a, b) => a.start - b.start || a.end - b.end);
