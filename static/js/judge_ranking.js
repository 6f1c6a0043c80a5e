// A ranking as tie-groups of ids, best first: [[3], [1, 2]]. Pure: every function gives new groups.

export const without = (groups, id) => groups.map((group) => group.filter((each) => each !== id)).filter((group) => group.length);
export const placeOf = (groups, id) => groups.findIndex((group) => group.includes(id));

/** Alone at a place, from 0, among the others' places. */
export const place = (groups, id, at) => without(groups, id).toSpliced(at, 0, [id]);

/** In one group with another that is ranked. */
export const tie = (groups, id, mate) => without(groups, id).map((group) => (group.includes(mate) ? [...group, id] : group));

/** In one group with those before it. */
export function tieUp(groups, id) {
  const at = placeOf(groups, id);
  const mate = groups[groups[at]?.length > 1 ? at : at - 1]?.find((each) => each !== id);
  return at < 0 || mate === undefined ? groups : tie(groups, id, mate);
}

/** One place better (−1) or worse (+1); out of a tie first. */
export function move(groups, id, step) {
  const at = placeOf(groups, id);
  if (at < 0) return place(groups, id, groups.length);
  if (groups[at].length > 1) {
    const rest = groups.with(at, groups[at].filter((each) => each !== id));
    return rest.toSpliced(step < 0 ? at : at + 1, 0, [id]);
  }
  return place(groups, id, Math.max(0, at + step));
}
