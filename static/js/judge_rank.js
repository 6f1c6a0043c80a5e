// Many responses ranked, by keys or by dragging: places with ties, best first, and what is not ranked yet.

import { draggable } from "./judge_drag.js";
import { make } from "./judge_parts.js";
import { move, place, placeOf, tie, tieUp, without } from "./judge_ranking.js";

export class Rank {
  /** @param columns in the order shown  @param took (column) called when a response is taken in hand */
  constructor(element, columns, { changed, say, took }, signal) {
    Object.assign(this, { element, columns, changed, say, took, groups: [], taken: null });
    this.chips = new Map(columns.map(({ id }, i) => [id, this.#chip(id, i + 1)]));
    element.addEventListener("keydown", (event) => this.#key(event), { signal });
    element.addEventListener("focusout", ({ relatedTarget }) => element.contains(relatedTarget) || this.#arm(null), { signal });
    const [grip, spot] = [(target) => target.closest(".chip"), (target) => target?.closest("[data-spot]")];
    const over = (found) => element.querySelectorAll("[data-spot]").forEach((each) => each.classList.toggle("over", each === found));
    draggable(element, grip, (target) => element.contains(target) && spot(target), over, (chip, at) => this.#dropped(+chip.dataset.id, at), signal);
    this.#show();
  }

  #chip(id, n) {
    const chip = make("button", { type: "button", className: "chip", textContent: String(n) });
    chip.dataset.id = id;
    chip.addEventListener("click", () => this.take(n));
    return chip;
  }

  number = (id) => this.columns.findIndex((column) => column.id === id) + 1;

  /** Take the n-th response in hand: the next digit is its place. */
  take(n) {
    const column = this.columns[n - 1];
    if (!column) return null;
    this.took(column);
    this.chips.get(column.id).focus();
    this.#arm(this.taken === column.id ? null : column.id);
    return this.taken ? `Response ${n}: which place?` : `Response ${n}`;
  }

  /** A digit: the place of what is in hand (0 is none, one too high is the last), else a response to take. */
  digit(n) {
    if (this.taken === null) return this.take(n);
    if (n === 0) return this.#set(without(this.groups, this.taken), this.taken);
    const at = Math.min(n, without(this.groups, this.taken).length + 1);
    return this.#set(place(this.groups, this.taken, at - 1), this.taken);
  }

  #arm(id) {
    this.taken = id;
    for (const [each, chip] of this.chips) chip.setAttribute("aria-pressed", each === id);
  }

  #key(event) {
    const id = +event.target.dataset.id;
    const act = {
      ArrowLeft: () => move(this.groups, id, -1), ArrowUp: () => move(this.groups, id, -1),
      ArrowRight: () => move(this.groups, id, 1), ArrowDown: () => move(this.groups, id, 1),
      "=": () => tieUp(placeOf(this.groups, id) < 0 ? place(this.groups, id, this.groups.length) : this.groups, id),
      Delete: () => without(this.groups, id), Backspace: () => without(this.groups, id),
    }[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey || !id) return;
    event.preventDefault();
    this.#set(act(), id);
  }

  #dropped(id, spot) {
    const [kind, at] = spot.dataset.spot.split(" ");
    if (kind === "tray") return this.#set(without(this.groups, id), id);
    if (kind === "gap") return this.#set(place(this.groups, id, at - (placeOf(this.groups, id) >= 0 && this.#alone(id) && placeOf(this.groups, id) < at)), id);
    const mate = this.groups[at].find((each) => each !== id);
    if (mate !== undefined) this.#set(tie(this.groups, id, mate), id);
  }

  #alone = (id) => this.groups[placeOf(this.groups, id)].length === 1;

  #set(groups, id) {
    this.groups = groups;
    this.#arm(null);
    this.#show(id);
    this.changed();
    this.say(this.#where(id));
    return this.#where(id);
  }

  #where(id) {
    const at = placeOf(this.groups, id);
    const mates = at < 0 ? [] : this.groups[at].filter((each) => each !== id).map(this.number);
    if (at < 0) return `Response ${this.number(id)}: not ranked`;
    return `Response ${this.number(id)}: place ${at + 1} of ${this.groups.length}${mates.length ? `, with ${mates.join(", ")}` : ""}`;
  }

  /** Chips are moved, not made anew, and what had focus has it again. */
  #show() {
    const focused = this.element.contains(document.activeElement) && document.activeElement;
    const spot = (kind, at, ...inside) => {
      const box = make("span", { className: kind });
      box.dataset.spot = `${kind} ${at}`;
      box.append(...inside);
      return box;
    };
    const chips = (ids) => ids.map((id) => this.chips.get(id));
    const left = [...this.chips.keys()].filter((id) => placeOf(this.groups, id) < 0);
    const places = this.groups.flatMap((group, i) => [spot("gap", i), spot("place", i, make("small", { textContent: `${i + 1}.` }), ...chips(group))]);
    const tray = spot("tray", "", make("small", { textContent: left.length ? "not ranked" : "all ranked" }), ...chips(left));
    this.element.replaceChildren(...places, spot("gap", this.groups.length), tray);
    for (const [id, chip] of this.chips) chip.ariaLabel = this.#where(id);
    if (focused) focused.focus({ preventScroll: true });
  }

  read() {
    const all = this.groups.flat().length === this.columns.length;
    const outcome = this.groups.length === 1 && all ? "tie" : this.groups.length ? "ranking" : null;
    return { outcome, ranking: outcome === "ranking" ? this.groups : [], strength: null };
  }

  restore({ outcome, ranking = [] }) {
    const ids = this.columns.map(({ id }) => id);
    this.groups = outcome === "tie" ? [ids] : outcome === "ranking" ? ranking.map((group) => [...group]) : [];
    this.#arm(null);
    this.#show();
  }
}
