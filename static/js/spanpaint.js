// Draws marks on the runs: one line for each span under its words (spans may overlap), its number where it ends, what it
// should say behind it, and a sign where something is missing. Only what changed is drawn: long texts stay quick.

const LINES = [
  (color) => `linear-gradient(${color}, ${color})`,
  (color) => `repeating-linear-gradient(90deg, ${color} 0 7px, transparent 7px 10px)`,
  (color) => `repeating-linear-gradient(90deg, ${color} 0 2px, transparent 2px 5px)`,
];

/** Draw the marks of the editor on the runs whose marks are not those drawn there. */
export function paint(editor) {
  const wanted = plan(editor);
  const drawn = (editor.map.drawn ??= new Map()); // run → what is drawn on it, as a string
  for (const run of drawn.keys()) if (!wanted.has(run)) draw(run, { marks: [], gaps: [] }, editor);
  for (const [run, { marks, gaps }] of wanted) {
    const sign = JSON.stringify([marks, gaps]);
    if (drawn.get(run) !== sign) draw(run, { marks, gaps }, editor);
    drawn.set(run, sign);
  }
  for (const run of drawn.keys()) if (!wanted.has(run)) drawn.delete(run);
  paintChosen(editor);
}

/** Take everything off again. */
export function unpaint(editor) {
  for (const run of editor.map.drawn?.keys() ?? []) draw(run, { marks: [], gaps: [] }, editor);
  editor.map.drawn?.clear();
  editor.root.querySelectorAll(".atom.pending").forEach((el) => el.classList.remove("pending"));
}

/** Outline the chosen mark. */
export function paintChosen({ root, selected }) {
  for (const el of root.querySelectorAll(".chosen")) el.classList.remove("chosen");
  if (!selected) return;
  for (const el of root.querySelectorAll(`[data-spans~="${selected}"]`)) el.classList.add("chosen");
}

/** Each run that gets something: the marks on it, and the omissions in it. */
function plan(editor) {
  const wanted = new Map();
  const on = (run) => wanted.get(run) ?? wanted.set(run, { marks: [], gaps: [] }).get(run);
  for (const mark of inLanes(editor)) {
    const runs = editor.map.touched(mark.start, mark.end);
    runs.forEach((run, i) => on(run).marks.push({ ...mark, closes: i === runs.length - 1 }));
  }
  for (const { id, at, severity } of editor.omissions) {
    const run = at !== null && editor.map.holder(at);
    if (run) on(run).gaps.push({ id, severity, at: Math.max(run.start, Math.min(at, run.end)) });
  }
  return wanted;
}

/** Each span with the lowest lane that no earlier overlapping one holds. */
function inLanes({ spans, category }) {
  const ends = []; // of the last mark of each lane
  return spans.map(({ id, start, end, severity, correction, category: key }) => {
    const free = ends.findIndex((taken) => taken <= start);
    const lane = free < 0 ? ends.length : free;
    ends[lane] = end;
    const { index, color, label } = category(key);
    return { id, start, end, severity, correction, lane, index, color, label };
  });
}

function draw(run, { marks, gaps }, editor) {
  clean(run);
  run.el.classList.toggle("marked", marks.length > 0);
  if (!run.atom) return run.el.replaceChildren(...cutUp(run, marks, gaps, editor.map));
  const closing = marks.filter((mark) => mark.closes);
  if (marks.length) dress(run.el, marks, closing);
  const [before, after] = [gaps.filter(({ at }) => at === run.start), gaps.filter(({ at }) => at > run.start)];
  run.beside = [...before.map(caret), ...closing.flatMap(inserted), ...after.map(caret)];
  run.el.before(...run.beside.slice(0, before.length));
  run.el.after(...run.beside.slice(before.length));
}

function clean(run) {
  run.beside?.forEach((el) => el.remove());
  run.beside = null;
  for (const name of ["spans", "tags"]) delete run.el.dataset[name];
  run.el.classList.remove("marked", "chosen", "corrected");
  run.el.style.background = "";
  run.el.removeAttribute("title");
}

function cutUp(run, marks, gaps, map) {
  const edges = new Set([run.start, run.end, ...gaps.map(({ at }) => at)]);
  for (const { start, end } of marks) edges.add(Math.max(start, run.start)).add(Math.min(end, run.end));
  const cuts = [...edges].sort((a, b) => a - b);
  const at = (point) => gaps.filter((gap) => gap.at === point).map(caret);
  const pieces = cuts.slice(1).flatMap((end, i) => {
    const over = marks.filter((mark) => mark.start < end && cuts[i] < mark.end);
    const closing = over.filter((mark) => mark.closes && Math.min(mark.end, run.end) === end);
    const text = map.quote(cuts[i], end);
    return [over.length ? dress(element("mark", text), over, closing) : text, ...closing.flatMap(inserted), ...at(end)];
  });
  return [...at(run.start), ...pieces];
}

function dress(el, marks, closing) {
  const lines = marks.map(({ color, index, lane }) => `${LINES[index % LINES.length](color)} 0 calc(100% - ${lane * 4}px) / 100% 3px no-repeat`);
  const tint = `color-mix(in srgb, ${marks.at(-1).color} 14%, transparent)`;
  el.style.background = [...lines, `linear-gradient(${tint}, ${tint})`].join(", ");
  el.dataset.spans = marks.map((mark) => mark.id).join(" ");
  el.title = marks.map((mark) => mark.label).join(", ");
  el.classList.toggle("corrected", marks.some((mark) => mark.correction));
  if (closing.length) el.dataset.tags = closing.map(({ index, severity }) => `${index + 1}${"!".repeat(severity ?? 0)}`).join(" ");
  return el;
}

// Their words are drawn by the style sheet: the page's text stays the response's own, code point by code point.
const element = (name, textContent = "") => Object.assign(document.createElement(name), { textContent });

/** What a corrected span should say. */
function inserted({ id, correction }) {
  if (!correction) return [];
  const el = element("ins");
  Object.assign(el.dataset, { spans: id, says: correction });
  return [el];
}

/** The sign that something is missing here. */
function caret({ id, severity }) {
  const el = element("span");
  el.className = "caret";
  el.title = "Something is missing here";
  Object.assign(el.dataset, { spans: id, says: `‸${"!".repeat(severity ?? 0)}` });
  return el;
}
