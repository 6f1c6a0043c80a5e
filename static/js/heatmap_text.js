// One painted text: its parts by layer (a layer is a method), grouped into words or sentences as the reader likes.

const GRAIN = { word: "word", sentence: "sentence" };

/** The last place in an ordered list that is at most `at`. */
function lastAt(list, at) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export class Painted {
  /** box: [data-heat], whose children are pieces with data-t (number of the part) and data-v (its value), one per layer. */
  constructor(box) {
    this.box = box;
    this.side = box.closest("[data-side]").dataset;
    const said = [];
    let at = 0;
    this.layers = [];
    this.grouped = new Map();
    for (const node of box.childNodes) {
      if (node.dataset?.t !== undefined) this.#add(node, at);
      said.push(node.textContent);
      at += node.textContent.length;
    }
    this.text = said.join("");
    this.layers = this.layers.map((parts) => [...parts.values()].sort((a, b) => a.start - b.start));
  }

  #add(piece, start) {
    const [numbers, values] = [piece.dataset.t.split(" "), piece.dataset.v.split(" ")];
    const end = start + piece.textContent.length;
    numbers.forEach((number, layer) => {
      const parts = (this.layers[layer] ??= new Map());
      if (number === "-") return;
      const part = parts.get(number) ?? parts.set(number, { start, value: Number(values[layer]), pieces: [] }).get(number);
      part.pieces.push(piece);
      part.end = end;
    });
  }

  /** By layer, the groups: {start, end, value, pieces, label}; values of one group are summed. */
  groups(kind) {
    if (!this.grouped.has(kind)) this.grouped.set(kind, this.layers.map((parts) => this.#group(parts, kind)));
    return this.grouped.get(kind);
  }

  #group(parts, kind) {
    const starts = GRAIN[kind] ? [...new Intl.Segmenter("en", { granularity: GRAIN[kind] }).segment(this.text)].map(({ index }) => index) : null;
    const found = [];
    let before = null;
    for (const part of parts) {
      const [first] = /\S|$/.exec(this.text.slice(part.start, part.end)) ?? [];
      const at = part.start + Math.max(0, this.text.slice(part.start, part.end).indexOf(first));
      const segment = starts ? lastAt(starts, at) : part;
      if (segment === before) join(found.at(-1), part);
      else found.push({ ...part, pieces: [...part.pieces] });
      before = segment;
    }
    for (const group of found) group.label = this.text.slice(group.start, group.end);
    return found;
  }

  /** Piece → its group in each layer, of the grouping last asked for by `index`. */
  index(kind) {
    this.drawn = kind;
    this.at = new Map();
    this.groups(kind).forEach((groups, layer) => {
      for (const group of groups) for (const piece of group.pieces) (this.at.get(piece) ?? this.at.set(piece, []).get(piece))[layer] = group;
    });
  }
}

function join(group, part) {
  group.end = Math.max(group.end, part.end);
  group.value += part.value;
  group.pieces.push(...part.pieces);
}
