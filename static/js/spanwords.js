// How a SpanEditor speaks of marks.

export const SEVERITIES = ["none", "slight", "serious", "severe"];

export const brief = (text) => `“${text.length > 80 ? `${text.slice(0, 79)}…` : text}”`;

/** Where an omission is: after the words before it. */
export function where({ at }, map) {
  if (at === null) return "anywhere";
  const before = map.quote(Math.max(0, at - 20), at).trim();
  return before ? `after ${brief(before)}` : "at the beginning";
}

export const nameOf = (mark, { map, category }) =>
  "at" in mark ? `Missing ${where(mark, map)}.` : `${category(mark.category).label}: ${brief(mark.quote)}.`;

/** "3 marks." */
export function count({ spans, omissions }) {
  const all = spans.length + omissions.length;
  return `${all} ${all === 1 ? "mark" : "marks"}.`;
}
