// Where a text stands on the screen: what is chosen is shown and kept in sight, and another view opens at the same words.

import { firstAt } from "./textunits.js";

/** Show what is chosen without touching the text. */
export function showPending({ map, root, range }) {
  root.querySelectorAll(".atom.pending").forEach((el) => el.classList.remove("pending"));
  const ranges = range ? map.ranges(range.start, range.end) : [];
  if (range) map.touched(range.start, range.end).forEach((run) => run.atom && run.el.classList.add("pending"));
  window.CSS.highlights.set("pending", new Highlight(...ranges));
}

const past = (from, to, low, high) => (from < low ? from - low - 8 : Math.max(0, Math.min(to - high + 8, from - low)));

/** Scroll the end of what is chosen into sight: in its table or code, in the text's pane, in the window. */
export function reveal({ map, range }) {
  const box = () => map.box(range.start, range.end);
  if (!range || !box()) return;
  for (let el = map.holder(range.end).el; el !== map.pane.parentElement; el = el.parentElement) {
    if (el.scrollWidth <= el.clientWidth && el.scrollHeight <= el.clientHeight) continue;
    const [{ left, right, top, bottom }, frame] = [box(), el.getBoundingClientRect()];
    if (el.scrollWidth > el.clientWidth) el.scrollLeft += past(left, right, frame.left, frame.right);
    if (el.scrollHeight > el.clientHeight) el.scrollTop += past(top, bottom, frame.top, frame.bottom);
  }
  const down = past(box().top, box().bottom, 0, innerHeight);
  if (down) window.scrollBy(0, down);
}

/** The first code point in sight and how far below the pane's edge it is; as before where nobody has scrolled since. */
export function topOf(map, before = null) {
  const { pane, runs } = map;
  if (before?.scrolled === pane.scrollTop) return before;
  const { top: edge } = pane.getBoundingClientRect();
  const run = runs.find(({ el }) => el.getBoundingClientRect().bottom > edge);
  if (!run) return null;
  const below = (at) => map.box(at, at + 1).bottom > edge;
  const point = run.atom ? run.start : Math.min(firstAt(run.start, run.end, below), run.end - 1);
  return { point, offset: map.box(point, point + 1).top - edge };
}

/** Scroll a place of topOf() to where it was; the place, to come back to. */
export function backTo(map, anchor) {
  const run = anchor && (map.runs.find(({ end }) => end > anchor.point) ?? map.runs.at(-1));
  if (!run) return null;
  const at = Math.min(Math.max(anchor.point, run.start), run.end - 1);
  map.pane.scrollTop += map.box(at, at + 1).top - map.pane.getBoundingClientRect().top - anchor.offset;
  return { ...anchor, scrolled: map.pane.scrollTop };
}
