// The words, sentences and characters of what a TextMap shows, as {start, end} in code points of the raw text.

const BLOCKS = "p, li, th, td, h3, h4, h5, h6, pre, blockquote";
const SEEN = { word: /[\p{L}\p{N}\p{Extended_Pictographic}\uFFFC]/u, sentence: /\S/u, char: /\S/u };
const GRAIN = { word: "word", sentence: "sentence", char: "grapheme" };

/** The first whole number in [low, high) that passes, else high; all after one that passes do, too. */
export function firstAt(low, high, passes) {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (passes(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The index of the first element of an ordered list that passes. */
export const bisect = (list, passes) => firstAt(0, list.length, (i) => passes(list[i]));

/** What is shown as one string: an atom is U+FFFC, blocks are lines. from/to: each UTF-16 unit's code points. */
export function lineOf({ runs, points }) {
  const [from, to, shown] = [[], [], []];
  const put = (text, start, end) => {
    shown.push(text);
    for (let i = 0; i < text.length; i += 1) from.push(start) && to.push(end);
  };
  let block = null;
  for (const run of runs) {
    const own = run.el.closest(BLOCKS);
    if (block && own !== block) put("\n", run.start, run.start);
    block = own;
    if (run.atom) put(run.el.textContent.trim() ? "\uFFFC" : " ", run.start, run.end);
    else {
      const code = own?.tagName === "PRE";
      for (let i = run.start; i < run.end; i += 1) put(points[i] === "\n" && !code ? " " : points[i], i, i + 1);
    }
  }
  return { text: shown.join(""), from, to };
}

/** All units of a kind ("word", "sentence", "char") in reading order; what nobody sees is none. */
export function unitsOf({ text, from, to }, kind) {
  const found = [];
  for (const { segment, index } of new Intl.Segmenter(undefined, { granularity: GRAIN[kind] }).segment(text)) {
    const body = segment.trim();
    if (!body || !SEEN[kind].test(body)) continue;
    const first = index + segment.indexOf(body);
    found.push({ start: from[first], end: to[first + body.length - 1] });
  }
  return found;
}

/** The first unit that begins at a code point or after it; undefined past the last. */
export const unitFrom = (units, at) => units[bisect(units, ({ start }) => start >= at)];

/** The last unit that ends at a code point or before it. */
export const unitTo = (units, at) => units[bisect(units, ({ end }) => end > at) - 1];

/** Find a map's units while nothing else is to do, so that the first key need not wait for them. */
export function prepare(map) {
  for (const kind of Object.keys(GRAIN)) (window.requestIdleCallback ?? setTimeout)(() => map.units(kind));
}
