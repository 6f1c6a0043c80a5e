// The page's runs (annotate/text) as one line of text: DOM position ↔ code point of the raw text.

import { bisect, lineOf, unitsOf } from "./textunits.js";

export class TextMap {
  /** @param root element whose .r runs are shown  @param raw the raw text they point into */
  constructor(root, raw) {
    this.root = root;
    this.raw = raw;
    this.points = Array.from(raw); // code points: what offsets count, unlike UTF-16
    this.at16 = new Uint32Array(this.points.length + 1); // where each of them begins in UTF-16
    this.points.forEach((point, i) => (this.at16[i + 1] = this.at16[i] + point.length));
    this.runs = [...root.querySelectorAll(".r")].map((el) => ({
      el, start: +el.dataset.s, end: +el.dataset.e, atom: el.classList.contains("atom"),
    }));
    this.cache = {};
  }

  /** What scrolls the text. */
  get pane() {
    return this.root.parentElement;
  }

  quote(start, end) {
    return this.raw.slice(this.at16[start], this.at16[end]);
  }

  /** Runs that share a code point with [start, end). */
  touched(start, end) {
    const [first, after] = [({ end: last }) => last > start, (run) => run.start >= end];
    return this.runs.slice(bisect(this.runs, first), bisect(this.runs, after));
  }

  /** Words, sentences or characters in reading order, as {start, end} in code points. */
  units(kind) {
    this.line ??= lineOf(this);
    this.cache[kind] ??= unitsOf(this.line, kind);
    return this.cache[kind];
  }

  /** A DOM Range → {start, end} in code points without white space at its edges, or null. Atoms count as a whole. */
  offsets(range) {
    const [first, after] = [(run) => !ends(range, run.el), (run) => starts(range, run.el)];
    const inside = this.runs.slice(bisect(this.runs, first), bisect(this.runs, after));
    const shown = inside.map((run) => this.#clip(run, range)).filter((part) => part.start < part.end);
    return shown.length ? this.trim(shown[0].start, shown.at(-1).end) : null;
  }

  /** The part of a run that lies in a DOM Range; an atom is in it whole or not at all. */
  #clip(run, range) {
    const [opens, closes] = [range.startContainer, range.endContainer].map((node) => run.el.contains(node));
    if (!opens && !closes) return run;
    const part = document.createRange();
    part.selectNodeContents(run.el);
    if (opens) part.setStart(range.startContainer, range.startOffset);
    if (closes) part.setEnd(range.endContainer, range.endOffset);
    if (run.atom) return part.collapsed ? { start: 0, end: 0 } : run;
    const length = Array.from(part.toString()).length;
    const before = document.createRange();
    before.selectNodeContents(run.el);
    before.setEnd(part.startContainer, part.startOffset);
    const start = run.start + Array.from(before.toString()).length;
    return { start, end: start + length };
  }

  /** Without white space at the edges, and cutting no visible character in two; null where nothing is left. */
  trim(start, end) {
    while (start < end && !this.points[start].trim()) start += 1;
    while (end > start && !this.points[end - 1].trim()) end -= 1;
    if (start >= end) return null;
    const chars = this.units("char");
    const first = chars[bisect(chars, (unit) => unit.end > start)];
    const last = chars[bisect(chars, (unit) => unit.start >= end) - 1];
    if (!first || !last || first.start >= end || last.end <= start) return { start, end };
    return { start: Math.min(start, first.start), end: Math.max(end, last.end) };
  }

  /** The nearest point between two whole characters: behind the one that `at` would cut. */
  gap(at) {
    const chars = this.units("char");
    const cut = chars[bisect(chars, (unit) => unit.end > at)];
    return Number.isInteger(at) && cut?.start < at ? cut.end : at;
  }

  /** [start, end) → one range for each run it touches. Static: a browser mends each live one at each edit. */
  ranges(start, end) {
    return this.touched(start, end).map((run) => {
      const [[startContainer, startOffset], [endContainer, endOffset]] = run.atom
        ? [[run.el, 0], [run.el, run.el.childNodes.length]]
        : [this.#place(run, Math.max(start, run.start)), this.#place(run, Math.min(end, run.end))];
      return new StaticRange({ startContainer, startOffset, endContainer, endOffset });
    });
  }

  /** Where the last run of [start, end) is on the screen; of a point, the character before it. */
  box(start, end) {
    if (start === end) return this.#point(start);
    const run = this.touched(start, end).at(-1);
    if (!run || run.atom) return run?.el.getBoundingClientRect();
    const range = document.createRange();
    range.setStart(...this.#place(run, Math.max(start, run.start)));
    range.setEnd(...this.#place(run, Math.min(end, run.end)));
    return range.getBoundingClientRect();
  }

  #point(at) {
    const run = this.holder(at);
    const end = run && Math.min(Math.max(at, run.start + 1), run.end);
    return run && this.box(run.atom ? run.start : end - 1, end);
  }

  /** The run that a point stands in or right behind; before all of them the first; undefined in an empty text. */
  holder(at) {
    const next = bisect(this.runs, ({ start }) => start >= at);
    const [before, here] = [this.runs[next - 1], this.runs[next]];
    return here?.start === at && before?.end !== at ? here : (before ?? here);
  }

  /** Is all of {start, end} in sight? */
  sees(range) {
    const [box, pane] = [range && this.box(range.start, range.end), this.pane.getBoundingClientRect()];
    return Boolean(box) && box.top >= pane.top && box.bottom <= pane.bottom;
  }

  /** The first unit in sight, else the first of all; null in an empty text. */
  firstSeen(kind) {
    const { top } = this.pane.getBoundingClientRect();
    const from = this.runs.find((run) => run.el.getBoundingClientRect().bottom > top)?.start ?? 0;
    const units = this.units(kind);
    return units.find(({ start, end }) => start >= from && this.box(start, end)?.top >= top) ?? units[0] ?? null;
  }

  #place(run, point) {
    let left = this.at16[point] - this.at16[run.start]; // UTF-16 units into the run's text
    const walker = document.createTreeWalker(run.el, NodeFilter.SHOW_TEXT);
    let node = walker.nextNode();
    while (left > node.length) {
      left -= node.length;
      node = walker.nextNode();
    }
    return [node, left];
  }
}

/** Does the element end before the range begins, or begin behind its end? */
const ends = (range, el) => range.comparePoint(el, el.childNodes.length) < 0;
const starts = (range, el) => range.comparePoint(el, 0) > 0;
