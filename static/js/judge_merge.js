// Two people at one answer, or one in two tabs: three-way, by field, by mark, by rating. Pure: plain data in and out.

const own = (object, key) => (object && Object.hasOwn(object, key) ? object[key] : undefined);
const plain = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
export const same = (a, b) => a === b || JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
const sorted = (value) => {
  if (Array.isArray(value)) return value.map(sorted);
  return plain(value) ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])])) : value;
};

const VERDICT = ["outcome", "ranking", "strength", "reason"]; // they mean something together only
const FIXED = ["texts_sha256", "schema_version"]; // of the page, not of the rater

/** Lists as objects by place, so that each mark is merged by itself. */
function unfold(answer) {
  const rest = { ...answer };
  for (const field of [...VERDICT, ...FIXED]) delete rest[field];
  const tree = { ...rest, verdict: VERDICT.map((field) => own(answer, field) ?? null) };
  tree.spans = byPlace(answer.spans, (mark) => `${mark.response} ${mark.start} ${mark.end} ${mark.category}`);
  tree.omissions = byPlace(answer.omissions, (mark) => `${mark.response} ${mark.at}`);
  tree.checked = Object.fromEntries((answer.checked ?? []).map((id) => [id, true]));
  tree.steps = Object.fromEntries(Object.entries(answer.steps ?? {}).map(([id, labels]) => [id, { ...labels }]));
  return tree;
}

function byPlace(marks = [], place) {
  const rows = {};
  for (const mark of marks) {
    let n = 1;
    while (`${place(mark)} ${n}` in rows) n += 1; // two in one place
    rows[`${place(mark)} ${n}`] = mark;
  }
  return rows;
}

function fold({ verdict, ...tree }, mine) {
  const answer = { ...tree };
  VERDICT.forEach((field, i) => verdict[i] === null && !(field in mine) ? null : (answer[field] = verdict[i]));
  for (const field of FIXED) if (field in mine) answer[field] = mine[field];
  answer.spans = Object.values(tree.spans);
  answer.omissions = Object.values(tree.omissions);
  const marked = new Set([...answer.spans, ...answer.omissions].map((mark) => String(mark.response)));
  answer.checked = Object.keys(tree.checked).filter((id) => !marked.has(id)).map(Number);
  answer.steps = Object.fromEntries(Object.entries(tree.steps).map(([id, labels]) => [id, Object.values(labels)]));
  for (const field of ["spans", "omissions", "checked", "steps"]) if (!(field in mine) && !Object.keys(answer[field]).length) delete answer[field];
  return answer;
}

/** What changed on one side is taken; where both changed the same thing, mine stands and a conflict is noted. */
function three(base, mine, theirs, path, conflicts) {
  if (same(mine, theirs) || same(base, theirs)) return mine;
  if (same(base, mine)) return theirs;
  if (plain(mine) && plain(theirs)) {
    const keys = new Set([...Object.keys(mine), ...Object.keys(theirs)]);
    const pairs = [...keys].map((key) => [key, three(own(base, key), own(mine, key), own(theirs, key), [...path, key], conflicts)]);
    return Object.fromEntries(pairs.filter(([, value]) => value !== undefined));
  }
  conflicts.push({ path, mine, theirs });
  return mine;
}

/**
 * Merge two answers that grew out of base, the last one both had (or {}).
 * → {answer, conflicts: [{path, mine, theirs}], unchecked: [response ids]}; unchecked are those that one side called
 *   checked, nothing to mark, while the other marked something: the marks stay.
 * choices[i], "mine" or "theirs", settles conflict i.
 */
export function merge(base, mine, theirs, choices = []) {
  const conflicts = [];
  const tree = three(unfold(base ?? {}), unfold(mine), unfold(theirs), [], conflicts);
  conflicts.forEach(({ path, ...sides }, i) => choices[i] && put(tree, path, sides[choices[i]]));
  const answer = fold(tree, mine);
  const unchecked = Object.keys(tree.checked).map(Number).filter((id) => !answer.checked?.includes(id));
  return { answer, conflicts, unchecked };
}

function put(tree, path, value) {
  const last = path.at(-1);
  const place = path.slice(0, -1).reduce((node, key) => node[key], tree);
  if (value === undefined) delete place[last];
  else place[last] = value;
}
