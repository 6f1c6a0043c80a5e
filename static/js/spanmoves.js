// Where the keys of SpanEditor lead: over words, over marks, and the edges of a mark.

import { isLoose, shortest } from "./spanrules.js";
import { bisect, unitFrom, unitTo } from "./textunits.js";

const START = { start: 0, end: 0 };
const tightened = new WeakMap(); // units → the same as a project that wants the shortest marks would have them

function units(editor) {
  const all = editor.map.units(editor.unit);
  if (!editor.rules.shortest) return all;
  const { points } = editor.map;
  const tight = () => all.map((unit) => shortest(points, unit)).filter(({ end }) => !isLoose(points[end - 1]));
  if (!tightened.has(all)) tightened.set(all, tight());
  return tightened.get(all);
}

function go(editor, unit) {
  if (unit) editor.choose(unit);
  else editor.announce("No more text.");
}

/** Step to the next (+1) or previous (−1) unit. */
export function move(editor, step) {
  const [all, { start, end }] = [editor.map.units(editor.unit), editor.range ?? START];
  go(editor, step > 0 ? unitFrom(all, end) : unitTo(all, start));
}

/** Up and down: to the first unit of the next or previous sentence. */
export function moveSentence(editor, step) {
  const [sentences, { start: at }] = [editor.map.units("sentence"), editor.range ?? START];
  const found = step > 0 ? unitFrom(sentences, at + 1) : sentences[bisect(sentences, ({ start }) => start >= at) - 1];
  go(editor, found && (unitFrom(editor.map.units(editor.unit), found.start) ?? found));
}

/** To the first or the last unit. */
export const moveFar = (editor, end) => editor.choose(editor.map.units(editor.unit).at(end ? -1 : 0) ?? null);

function adjust(editor, range) {
  if (editor.selected) editor.update(editor.selected, range);
  else editor.choose(range);
}

/** The end of what is chosen, or the point of a chosen omission, a unit on (+1) or back (−1). */
export function moveEnd(editor, step) {
  const [all, { start, end }] = [units(editor), editor.range];
  const unit = all[step > 0 ? bisect(all, (u) => u.end > end) : bisect(all, (u) => u.end >= end) - 1];
  if (isPoint(editor)) return movePoint(editor, unit ? unit.end : 0);
  if (unit && unit.end > start) adjust(editor, { start, end: unit.end });
}

/** The start of what is chosen a unit on (+1) or back (−1). */
export function moveStart(editor, step) {
  if (isPoint(editor)) return moveEnd(editor, step);
  const [all, { start, end }] = [units(editor), editor.range];
  const unit = all[step > 0 ? bisect(all, (u) => u.start > start) : bisect(all, (u) => u.start >= start) - 1];
  if (unit && unit.start < end) adjust(editor, { start: unit.start, end });
}

const isPoint = ({ range }) => range.start === range.end;

function movePoint(editor, at) {
  if (editor.selected) editor.update(editor.selected, { at });
}

/** To the next (+1) or previous (−1) mark in the text, round and round. */
export function moveMark(editor, step) {
  const placed = [...editor.spans, ...editor.omissions.filter(({ at }) => at !== null)];
  if (!placed.length) return editor.announce("No marks.");
  const begin = (mark) => mark.start ?? mark.at;
  const marks = placed.sort((a, b) => begin(a) - begin(b));
  const [chosen, at] = [marks.findIndex(({ id }) => id === editor.selected), editor.range?.start ?? -1];
  const next = chosen < 0 ? marks.findIndex((mark) => begin(mark) > at) : chosen + 1;
  const before = chosen < 0 ? marks.findLastIndex((mark) => begin(mark) < at) : chosen - 1;
  editor.select((step > 0 ? (marks[next] ?? marks[0]) : (marks[before] ?? marks.at(-1))).id);
}
