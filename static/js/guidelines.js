// Find in a text as one types. Matches are painted by the highlight API: the rendered text stays as it is.

const BLOCKS = "p, li, h1, h2, h3, h4, h5, h6, pre, td, th, dt, dd, blockquote, div";

const finders = new WeakMap(); // by their line: a page that was fetched ahead brings lines of its own

document.addEventListener("input", ({ target }) => {
  const finder = finderOf(target);
  if (finder) find(finder, target.value);
});
document.addEventListener("keydown", (event) => {
  const finder = event.key === "Enter" && finderOf(event.target);
  if (!finder || !event.target.matches("input")) return;
  event.preventDefault();
  step(finder, event.shiftKey ? -1 : 1);
});
document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-step]");
  if (button) step(finderOf(button), +button.dataset.step);
});

function finderOf(element) {
  const line = element.closest?.("[data-find]");
  const root = line && CSS.highlights && document.getElementById(line.dataset.find);
  if (root && !finders.has(line)) {
    const told = line.querySelector("[role=status]");
    finders.set(line, { root, ranges: [], at: -1, told, buttons: line.querySelectorAll("[data-step]") });
  }
  return root && finders.get(line);
}

function find(finder, words) {
  finder.ranges = matches(finder.root, words.trim());
  finder.at = -1;
  CSS.highlights.set("found", new Highlight(...finder.ranges));
  CSS.highlights.delete("here");
  for (const button of finder.buttons) button.disabled = !finder.ranges.length;
  finder.told.textContent = words.trim() ? "nothing found" : "";
  if (finder.ranges.length) step(finder, 1);
}

function step(finder, by) {
  const { length } = finder.ranges;
  if (!length) return;
  finder.at = (finder.at + by + length) % length;
  const here = finder.ranges[finder.at];
  const highlight = new Highlight(here);
  highlight.priority = 1;
  CSS.highlights.set("here", highlight);
  here.startContainer.parentElement.scrollIntoView({ block: "center" });
  finder.told.textContent = `${finder.at + 1} of ${length}`;
}

/** A DOM Range for each place where the words stand, also across emphasis and links, never across paragraphs. */
function matches(root, words) {
  if (!words) return [];
  const { text, pieces } = textOf(root);
  const pattern = new RegExp(words.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&").replace(/\s+/g, "\\s+"), "gi");
  return [...text.matchAll(pattern)].map(({ index, 0: found }) => {
    const range = document.createRange();
    range.setStart(...place(pieces, index));
    range.setEnd(...place(pieces, index + found.length, true));
    return range;
  });
}

function textOf(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const pieces = [];
  let [text, block] = ["", null];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const around = node.parentElement.closest(BLOCKS);
    if (block && around !== block) text += "\0"; // no search word holds it
    block = around;
    pieces.push({ node, start: text.length });
    text += node.data;
  }
  return { text, pieces };
}

/** The node and the offset in it of a place in the text; an end belongs to the node before it. */
function place(pieces, at, end = false) {
  const { node, start } = pieces.findLast((piece) => (end ? piece.start < at : piece.start <= at));
  return [node, at - start];
}
