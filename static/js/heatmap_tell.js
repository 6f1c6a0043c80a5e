// Tells the value of the part under the pointer or the keyboard with its share, and keeps the sum of those that are pinned.

const FEW = 4;
const STEPS = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 10, ArrowUp: -10 };

/** −0.0312: always with its sign, four decimals. */
export const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(4)}`;

export class Teller {
  constructor(texts) {
    this.texts = new Map(texts.map((text) => [text.box, text]));
    this.pins = new Map(); // the pinned group's first piece → {text, group}
    this.tip = document.getElementById("tip") ?? document.body.appendChild(Object.assign(document.createElement("div"), { id: "tip", hidden: true, ariaHidden: "true" }));
  }

  /** The text and the groups that a node of the page belongs to; undefined outside. */
  find(node) {
    const piece = node?.closest?.("[data-t]");
    const text = this.texts.get(piece?.closest("[data-heat]"));
    return text && { text, piece, groups: text.at.get(piece) };
  }

  /** Outline the groups of a piece and say them; of nothing, take the outline away. */
  tell(found, pointed = false) {
    document.querySelectorAll("#map .here").forEach((piece) => piece.classList.remove("here"));
    this.tip.hidden = !(found && pointed);
    this.here = found;
    if (!found) return;
    const group = found.groups.find(Boolean);
    for (const piece of group.pieces) outline(piece, "here", true, group);
    const words = this.words(found);
    document.getElementById("told").textContent = words;
    if (pointed) this.#float(words, found.piece);
  }

  words({ text, groups }) {
    const names = text.box.dataset.methods?.split("|") ?? [];
    const label = clipped(groups.find(Boolean).label);
    const where = [text.side.side, text.box.dataset.of].filter(Boolean).join(" ");
    if (names.length > 1) return `${where} “${label}” ${names.map((name, i) => `${name} ${groups[i] ? signed(groups[i].value) : "–"}`).join(", ")}`;
    return `${where} “${label}” ${signed(groups[0].value)} · ${share(groups[0].value, text)} of all pushes`;
  }

  #float(words, piece) {
    this.tip.textContent = words;
    const { left, bottom, top } = piece.getClientRects()[0] ?? piece.getBoundingClientRect();
    const { width, height } = this.tip.getBoundingClientRect();
    const below = bottom + 6 + height < window.innerHeight - 80;
    this.tip.style.left = `${Math.max(4, Math.min(left, window.innerWidth - width - 4))}px`;
    this.tip.style.top = `${below ? bottom + 6 : top - height - 6}px`;
  }

  /** Walk from group to group with the arrows; true when the key was one of ours. */
  key(box, key) {
    const text = this.texts.get(box);
    if (key === "Escape") return this.clear();
    if (key === "Enter") return this.pin(this.here?.text === text ? this.here : null);
    if (!(key in STEPS)) return false;
    const groups = text.groups(text.drawn)[0] ?? [];
    const at = this.here?.text === text ? groups.indexOf(this.here.groups[0]) : -1;
    const next = groups[Math.min(groups.length - 1, Math.max(0, at + STEPS[key]))];
    if (next) this.tell({ text, piece: next.pieces[0], groups: text.at.get(next.pieces[0]) });
    next?.pieces[0].scrollIntoView({ block: "nearest" });
    return true;
  }

  /** Pin the groups of a place, or let them go when they were pinned. */
  pin(found) {
    const group = found?.groups[0];
    if (!group) return false;
    const known = this.pins.delete(group);
    if (!known) this.pins.set(group, found.text);
    for (const piece of group.pieces) outline(piece, "pinned", !known, group);
    this.#sum();
    return true;
  }

  /** Let all go; false when nothing was pinned. */
  clear() {
    const any = this.pins.size > 0;
    document.querySelectorAll("#map .pinned").forEach((piece) => piece.classList.remove("pinned"));
    this.pins.clear();
    this.#sum();
    return any;
  }

  #sum() {
    const line = document.getElementById("pinned");
    if (!line) return;
    const pins = [...this.pins];
    const total = pins.reduce((sum, [{ value }]) => sum + value, 0);
    const each = pins.map(([{ label, value }, text]) => `${text.side.side} “${clipped(label, 24)}” ${signed(value)}`).join(", ");
    line.hidden = !pins.length;
    line.querySelector("span").textContent = `${pins.length} pinned, sum ${signed(total)}: ${each}`;
  }
}

/** Boxes around few pieces, lines above and below many. */
function outline(piece, name, on, { pieces }) {
  piece.classList.toggle(name, on);
  piece.classList.toggle("many", pieces.length > FEW);
}

const share = (value, { side }) => (Number(side.mass) ? `${((100 * Math.abs(value)) / Number(side.mass)).toFixed(1)} %` : "–");
const clipped = (label, length = 60) => (label.length > length ? `${label.slice(0, length - 1)}…` : label);
