// The marks of one text, spans and omissions, with their undo and redo: no page, no events.

import { settle } from "./spanrules.js";

let numbered = 0;
const fresh = (kind) => `${kind}-${(numbered += 1)}`;
const sorted = (list) => [...list].sort((a, b) => (a.start ?? a.at) - (b.start ?? b.at) || a.end - b.end);

export class Marks {
  /** @param project {rules, categories}: what spanrules.js needs */
  constructor(map, project, spans, omissions) {
    Object.assign(this, { map, project: { ...project, points: map.points }, past: [], future: [] });
    this.now = this.#state(spans, omissions);
  }

  #state(spans, omissions) {
    return { spans: sorted(spans.map((span) => this.#span(span))), omissions: sorted(omissions.map((one) => this.#omission(one))) };
  }

  #span({ id, start, end, category, severity = null, note = "", correction = "" }) {
    const { length } = this.map.points;
    if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start < end && end <= length))
      throw new RangeError(`No span ${start}–${end} in a text of ${length} code points.`);
    if (!this.project.categories.some(({ key }) => key === category)) throw new RangeError(`No category ${category}.`);
    return { id: id ?? fresh("span"), start, end, quote: this.map.quote(start, end), category, severity, note, correction };
  }

  #omission({ id, at = null, note = "", severity = null }) {
    const { length } = this.map.points;
    if (at !== null && !(Number.isInteger(at) && 0 <= at && at <= length))
      throw new RangeError(`No place ${at} in a text of ${length} code points.`);
    return { id: id ?? fresh("omission"), at, note, severity };
  }

  /** The span or the omission of that id. */
  get(id) {
    return [...this.now.spans, ...this.now.omissions].find((mark) => mark.id === id);
  }

  /** The span on exactly these words; the newest where there are several. */
  on({ start, end }, category = null) {
    const here = this.now.spans.filter((span) => span.start === start && span.end === end);
    return here.findLast((span) => category === null || span.category === category);
  }

  /** Add a mark or move one, by the project's rules: {mark, said}; the mark is null where they refuse it. */
  put(mark) {
    if ("at" in mark) return this.#putOmission(mark);
    const others = this.now.spans.filter(({ id }) => id !== mark.id);
    const { spans, mark: became, said } = settle(others, { ...this.#span(mark), id: mark.id }, this.project);
    if (spans) this.#commit({ ...this.now, spans: sorted(spans.map((span) => this.#span(span))) });
    return { mark: became && this.on(became, became.category), said };
  }

  #putOmission(mark) {
    const whole = this.#omission(mark);
    const others = this.now.omissions.filter(({ id }) => id !== mark.id);
    this.#commit({ ...this.now, omissions: sorted([...others, whole]) });
    return { mark: whole, said: "" };
  }

  /** Change what is said of a mark. Letters typed one after another into one field (`typing`) are undone together. */
  change(mark, typing) {
    const kind = "at" in mark ? "omissions" : "spans";
    const list = this.now[kind].map((each) => (each.id === mark.id ? mark : each));
    this.#commit({ ...this.now, [kind]: list }, /note|correction/.test(typing) ? typing : null);
    return { mark, said: "" };
  }

  drop(id) {
    const without = (list) => list.filter((mark) => mark.id !== id);
    this.#commit({ spans: without(this.now.spans), omissions: without(this.now.omissions) });
  }

  /** Everything anew without a way back. What is still there keeps its id, so that a list keeps its rows. */
  replace(spans, omissions) {
    const [oldSpans, oldOmissions] = [[...this.now.spans], [...this.now.omissions]];
    const known = (old, same) => (one) => ({ ...one, id: one.id ?? take(old, (each) => same(each, one))?.id });
    this.now = this.#state(
      spans.map(known(oldSpans, (a, b) => a.start === b.start && a.end === b.end && a.category === b.category)),
      omissions.map(known(oldOmissions, (a, b) => a.at === (b.at ?? null))),
    );
    this.typing = null;
  }

  undo = () => this.#travel(this.past, this.future);
  redo = () => this.#travel(this.future, this.past);

  #commit(state, typing = null) {
    if (!typing || typing !== this.typing) this.past.push(this.now);
    this.typing = typing;
    this.future.length = 0;
    this.now = state;
  }

  /** Was there anywhere to go? */
  #travel(from, to) {
    if (!from.length) return false;
    to.push(this.now);
    this.typing = null;
    this.now = from.pop();
    return true;
  }
}

/** The first element that passes, taken out of the list. */
function take(list, passes) {
  const at = list.findIndex(passes);
  return at < 0 ? null : list.splice(at, 1)[0];
}
