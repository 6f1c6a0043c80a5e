// Draws marks on the runs: one line for each mark under its words (marks may overlap), its number where it ends.

const LINES = [
  (color) => `linear-gradient(${color}, ${color})`,
  (color) => `repeating-linear-gradient(90deg, ${color} 0 7px, transparent 7px 10px)`,
  (color) => `repeating-linear-gradient(90deg, ${color} 0 2px, transparent 2px 5px)`,
];

/** Draw all marks of the editor anew; only runs that had or get a mark are touched. */
export function paint(editor) {
  const { map, root } = editor;
  for (const el of root.querySelectorAll(".marked")) clean(el);
  const drawn = inLanes(editor);
  const byRun = new Map();
  for (const mark of drawn) {
    const runs = map.touched(mark.start, mark.end);
    mark.last = runs.at(-1);
    for (const run of runs) byRun.set(run, [...(byRun.get(run) ?? []), mark]);
  }
  for (const [run, marks] of byRun) {
    run.el.classList.add("marked");
    if (run.atom) dress(run.el, marks, marks.filter((mark) => mark.last === run), editor);
    else cutUp(run, marks, editor);
  }
  showPending(editor);
}

function clean(el) {
  el.classList.remove("marked", "chosen");
  for (const name of ["spans", "tags"]) delete el.dataset[name];
  el.style.background = "";
  el.removeAttribute("title");
  if (!el.classList.contains("atom")) el.replaceChildren(el.textContent);
}

/** Each mark with the lowest lane that no earlier overlapping mark holds. */
function inLanes({ spans, category }) {
  const marks = [];
  for (const span of spans) {
    const taken = marks.filter((mark) => mark.end > span.start).map((mark) => mark.lane);
    let lane = 0;
    while (taken.includes(lane)) lane += 1;
    marks.push({ ...span, lane });
  }
  return marks;
}

function cutUp(run, marks, editor) {
  const edges = new Set([run.start, run.end]);
  for (const { start, end } of marks) edges.add(Math.max(start, run.start)).add(Math.min(end, run.end));
  const cuts = [...edges].sort((a, b) => a - b);
  run.el.replaceChildren(
    ...cuts.slice(1).map((end, i) => {
      const text = editor.map.quote(cuts[i], end);
      const over = marks.filter((mark) => mark.start < end && cuts[i] < mark.end);
      if (!over.length) return text;
      const el = document.createElement("mark");
      el.textContent = text;
      const closing = over.filter((mark) => mark.last === run && Math.min(mark.end, run.end) === end);
      return dress(el, over, closing, editor);
    }),
  );
}

function dress(el, marks, closing, editor) {
  const lines = marks.map((mark) => {
    const { color, index } = editor.category(mark.category);
    return `${LINES[index % LINES.length](color)} 0 calc(100% - ${mark.lane * 4}px) / 100% 3px no-repeat`;
  });
  const tint = `color-mix(in srgb, ${editor.category(marks.at(-1).category).color} 14%, transparent)`;
  el.style.background = [...lines, `linear-gradient(${tint}, ${tint})`].join(", ");
  el.dataset.spans = marks.map((mark) => mark.id).join(" ");
  el.title = marks.map((mark) => editor.category(mark.category).label).join(", ");
  if (closing.length) el.dataset.tags = closing.map((mark) => editor.category(mark.category).index + 1).join(" ");
  el.classList.toggle("chosen", marks.some((mark) => mark.id === editor.selected));
  return el;
}

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
  for (let el = map.touched(range.start, range.end).at(-1).el; el !== map.pane.parentElement; el = el.parentElement) {
    const [{ left, right, top, bottom }, frame] = [box(), el.getBoundingClientRect()];
    if (el.scrollWidth > el.clientWidth) el.scrollLeft += past(left, right, frame.left, frame.right);
    if (el.scrollHeight > el.clientHeight) el.scrollTop += past(top, bottom, frame.top, frame.bottom);
  }
  window.scrollBy(0, past(box().top, box().bottom, 0, innerHeight));
}
