// The map as a file: the texts are laid out anew with coloured grounds, as SVG, and as PNG by drawing that.

const [WIDTH, MARGIN, SIZE, SCALE] = [900, 24, 16, 2];
const FONT = `${SIZE}px system-ui, sans-serif`;
const measure = document.createElement("canvas").getContext("2d");

/** The SVG text of all texts on the page, in the theme of now. */
export function svg(texts, title) {
  measure.font = FONT;
  const style = getComputedStyle(document.documentElement);
  const at = { x: MARGIN, y: MARGIN + SIZE, out: [], ink: style.getPropertyValue("--ink").trim() };
  const rows = Math.max(...texts.map(({ layers }) => layers.length), 1);
  line(at, title);
  if (rows > 1) line(at, `Rows from top to bottom: ${texts[0].box.dataset.methods.split("|").join(", ")}.`);
  for (const text of texts) {
    line(at, "");
    line(at, `${text.side.side}: ${text.box.closest(".side").querySelector(".sum").textContent.replace(/\s+/g, " ").trim()}`);
    for (const node of text.box.childNodes) run(at, node, rows > 1 ? rows : 0);
    line(at, "");
  }
  const height = at.y + MARGIN;
  const ground = style.getPropertyValue("--panel").trim();
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="system-ui, sans-serif" font-size="${SIZE}"><rect width="100%" height="100%" fill="${ground}"/>${at.out.join("")}</svg>`;
}

/** A PNG of that, at twice its size. */
export async function png(text) {
  const [, height] = text.match(/ height="(\d+)"/);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const scale = Math.min(SCALE, 16000 / Number(height));
  const canvas = Object.assign(document.createElement("canvas"), { width: WIDTH * scale, height: Number(height) * scale });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

/** Hand a file to the reader. */
export function save(blob, name) {
  const href = URL.createObjectURL(blob);
  Object.assign(document.createElement("a"), { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 1000);
}

/** Words of a node with their grounds, from line to line. */
function run(at, node, rows) {
  const colours = rows ? stripes(node, rows) : [node.nodeType === Node.ELEMENT_NODE ? getComputedStyle(node).backgroundColor : ""];
  for (const part of node.textContent.split(/(\n|\s+)/u)) {
    if (part === "\n") feed(at, rows);
    else if (part) word(at, part, colours, rows);
  }
}

function word(at, part, colours, rows) {
  const width = measure.measureText(part).width;
  if (at.x + width > WIDTH - MARGIN && at.x > MARGIN) {
    feed(at, rows);
    if (!part.trim()) return; // the line ends with it
  }
  colours.forEach((colour, row) => {
    if (!seen(colour)) return;
    const [y, height] = rows ? [at.y + 5 + row * 6, 5] : [at.y - SIZE, SIZE * 1.35];
    at.out.push(`<rect x="${at.x.toFixed(1)}" y="${y.toFixed(1)}" width="${width.toFixed(1)}" height="${height}" fill="${colour}"/>`);
  });
  if (part.trim()) at.out.push(`<text x="${at.x.toFixed(1)}" y="${at.y}" fill="${at.ink}" xml:space="preserve">${escaped(part)}</text>`);
  at.x += width;
}

const seen = (colour) => colour && colour !== "transparent" && !/, 0\)$|\/ 0\)$/.test(colour);

/** The colours of the rows under a piece, resolved: a custom property keeps its words, a gradient does not. */
function stripes(node, rows) {
  if (!node.dataset?.t) return [];
  const image = getComputedStyle(node).backgroundImage;
  const colours = [...image.matchAll(/linear-gradient\((rgba?\([^)]*\))/g)].map(([, colour]) => colour);
  return colours.slice(0, rows);
}

function feed(at, rows = 0) {
  at.x = MARGIN;
  at.y += Math.round(SIZE * 1.8) + rows * 6;
}

function line(at, words) {
  at.x = MARGIN;
  for (const part of words.split(/(\s+)/u)) if (part) word(at, part, [], 0);
  feed(at);
}

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text) => text.replace(/[&<>"]/g, (letter) => ESCAPES[letter]).replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, "\uFFFD");
