// The page's runs (annotate/text) as one line of text: DOM position ↔ code point of the raw text, and its words.

const BLOCKS = "p, li, th, td, h3, h4, h5, h6, pre, blockquote";
const SEEN = { word: /[\p{L}\p{N}\p{Extended_Pictographic}\uFFFC]/u, sentence: /\S/u, char: /\S/u };
const GRAIN = { word: "word", sentence: "sentence", char: "grapheme" };

export class TextMap {
  /** @param root element whose .r runs are shown  @param raw the raw text they point into */
  constructor(root, raw) {
    this.root = root;
    this.pane = root.parentElement; // what scrolls the text
    this.points = Array.from(raw); // code points: what offsets count, unlike UTF-16
    this.runs = [...root.querySelectorAll(".r")].map((el) => ({
      el, start: +el.dataset.s, end: +el.dataset.e, atom: el.classList.contains("atom"),
    }));
    this.cache = {};
  }

  quote(start, end) {
    return this.points.slice(start, end).join("");
  }

  /** Runs that share a code point with [start, end). */
  touched(start, end) {
    return this.runs.filter((run) => run.start < end && start < run.end);
  }

  /** A DOM Range → {start, end} in code points without white space at its edges, or null. Atoms count as a whole. */
  offsets(range) {
    const parts = this.runs.filter((run) => range.intersectsNode(run.el)).map((run) => this.#clip(run, range));
    const shown = parts.filter((part) => part.start < part.end);
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
    const whole = this.units("char").filter((unit) => unit.start < end && start < unit.end);
    return whole.length
      ? { start: Math.min(start, whole[0].start), end: Math.max(end, whole.at(-1).end) }
      : { start, end };
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

  /** Where the last run of [start, end) is on the screen. */
  box(start, end) {
    const run = this.touched(start, end).at(-1);
    if (!run || run.atom) return run?.el.getBoundingClientRect();
    const range = document.createRange();
    range.setStart(...this.#place(run, Math.max(start, run.start)));
    range.setEnd(...this.#place(run, Math.min(end, run.end)));
    return range.getBoundingClientRect();
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
    let left = this.points.slice(run.start, point).join("").length; // UTF-16 units into the run's text
    const walker = document.createTreeWalker(run.el, NodeFilter.SHOW_TEXT);
    let node = walker.nextNode();
    while (left > node.length) {
      left -= node.length;
      node = walker.nextNode();
    }
    return [node, left];
  }

  /** Words, sentences or characters in reading order, as {start, end} in code points. */
  units(kind) {
    this.line ??= this.#line();
    this.cache[kind] ??= this.#cut(kind);
    return this.cache[kind];
  }

  #cut(kind) {
    const { text, from, to } = this.line;
    const found = [];
    for (const { segment, index } of new Intl.Segmenter(undefined, { granularity: GRAIN[kind] }).segment(text)) {
      const body = segment.trim();
      if (!body || !SEEN[kind].test(body)) continue;
      const first = index + segment.indexOf(body);
      found.push({ start: from[first], end: to[first + body.length - 1] });
    }
    return found;
  }

  /** What is shown as one string: an atom is U+FFFC, blocks are lines. from/to: each UTF-16 unit's code points. */
  #line() {
    const [from, to] = [[], []];
    let text = "";
    const put = (shown, start, end) => {
      text += shown;
      while (from.length < text.length) from.push(start) && to.push(end);
    };
    let block = null;
    for (const run of this.runs) {
      const own = run.el.closest(BLOCKS);
      if (block && own !== block) put("\n", run.start, run.start);
      block = own;
      if (run.atom) put(run.el.textContent.trim() ? "\uFFFC" : " ", run.start, run.end);
      else {
        const code = own?.tagName === "PRE";
        for (let i = run.start; i < run.end; i += 1)
          put(this.points[i] === "\n" && !code ? " " : this.points[i], i, i + 1);
      }
    }
    return { text, from, to };
  }
}
