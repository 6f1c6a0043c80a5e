// A project's rules for marks (Wu et al. 2023, Fine-Grained RLHF): the shortest span, one type, a fixed priority. Pure:
// marks in, marks out. The server holds the same rules (annotate/services/marks.py) and refuses what breaks them.

const LOOSE = new Set(" \t\r\n.,;:!?…、。，；：！？،؛؟"); // what a shortest mark neither begins nor ends with
const ORDER = "comes first in this project's order";

const overlap = (a, b) => a.start < b.end && b.start < a.end;
const covers = (a, b) => a.start <= b.start && b.end <= a.end;

/** Is this character one that a shortest mark does not end with? */
export const isLoose = (point) => LOOSE.has(point);

/** A mark without loose characters at its edges; as it is where it has no others. */
export function shortest(points, mark, loose = isLoose) {
  let { start, end } = mark;
  while (start < end && loose(points[start])) start += 1;
  while (end > start && loose(points[end - 1])) end -= 1;
  return start < end ? { ...mark, start, end } : mark;
}

/**
 * Fit one mark in among the others.
 * @param spans the other marks  @param mark {start, end, category, …}, with the id of the mark it changes, if any
 * @param project {rules: {shortest, one_type, priority}, categories: [{key, label}] first counts most, points}
 * @returns {spans, mark, said}: all marks, what the mark became, what was done beyond the asked ("" if nothing);
 *   spans is null where the mark is refused. Where a mark was cut in two, the second piece has no id yet.
 */
export function settle(spans, mark, project) {
  const { rules, points } = project;
  const short = rules.shortest ? shortest(points, mark) : mark;
  const others = spans.filter((span) => span.category !== mark.category && overlap(span, short));
  if (others.length && rules.priority) return inOrder(spans, short, others, project);
  if (!others.length || !rules.one_type) return fit(spans, [short], project);
  const [other] = others;
  return refused(`Kept ${quote(other, project)} as ${label(other, project)}: no words have two categories here.`);
}

const refused = (said) => ({ spans: null, mark: null, said });
const label = ({ category }, { categories }) => categories.find(({ key }) => key === category).label;
const named = (pieces, project) => pieces.map((piece) => quote(piece, project)).join(" and ");

function quote({ start, end }, { points }) {
  return `“${points.slice(start, Math.min(end, start + 40)).join("")}${end > start + 40 ? "…" : ""}”`;
}

/** Where two categories overlap, the one listed first has the words; the other keeps what is left of it. */
function inOrder(spans, mark, others, project) {
  const rank = ({ category }) => project.categories.findIndex(({ key }) => key === category);
  const stronger = others.filter((span) => rank(span) < rank(mark));
  const pieces = without(mark, stronger, project);
  const said = stronger.length ? [`Kept as ${label(stronger[0], project)}: it ${ORDER}.`] : [];
  if (!pieces.length) return refused(said[0]);
  if (stronger.length) said.push(`${label(mark, project)} is on ${named(pieces, project)}.`);
  const rest = new Map(others.filter((span) => rank(span) > rank(mark)).map((span) => [span, without(span, pieces, project)]));
  for (const [span, left] of rest) said.push(yielded(span, left, mark, project));
  return fit(spans.flatMap((span) => rest.get(span) ?? [span]), pieces, project, said);
}

function yielded(span, left, mark, project) {
  const [winner, loser] = [label(mark, project), label(span, project)];
  if (left.length) return `${winner} ${ORDER}: ${loser} stays on ${named(left, project)}.`;
  return `${winner} ${ORDER}: ${quote(span, project)} is ${loser} no more. Undo brings it back.`;
}

/** What is left of a mark beside others: none, one or more pieces that still hold a word. The first keeps its id. */
function without(mark, others, { points, rules }) {
  const cut = (piece, { start, end }) => [{ ...piece, end: Math.min(piece.end, start) }, { ...piece, start: Math.max(piece.start, end) }];
  const left = others.reduce((pieces, other) => pieces.flatMap((piece) => cut(piece, other)), [mark]);
  const words = left.filter(({ start, end }) => /[\p{L}\p{N}\p{S}]/u.test(points.slice(start, end).join("")));
  const blank = (point) => !point.trim();
  return words.map((piece, i) => ({ ...shortest(points, piece, rules.shortest ? isLoose : blank), id: i ? undefined : mark.id }));
}

/** Put the pieces of a mark among the others. With `shortest`, of two in one category, one inside the other, one is kept. */
function fit(spans, pieces, project, said = []) {
  let all = spans;
  for (const piece of pieces) {
    const same = project.rules.shortest ? all.filter((span) => span.category === piece.category) : [];
    const [inner, outer] = [same.find((span) => covers(piece, span)), same.find((span) => covers(span, piece))];
    if (inner) return refused(`Kept ${quote(inner, project)}: marks are as short as they can be here.`);
    if (outer && piece.id) return refused(`${quote(outer, project)} is marked already, around this.`);
    if (outer) said.push(`${quote(outer, project)} is marked on ${quote(piece, project)} alone now: as short as it can be.`);
    const { start, end } = piece;
    all = outer ? all.map((span) => (span === outer ? { ...span, start, end } : span)) : [...all, piece];
  }
  return { spans: all, mark: pieces[0], said: said.join(" ") };
}
