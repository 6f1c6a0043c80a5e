// Labels of a response's steps: of each one, or where the first error is. Steps are painted in the text by highlights,
// which leave its elements and offsets alone.

import { KEYS, Labels, nameOf } from "./judge_labels.js";
import { make } from "./judge_parts.js";
import { reveal } from "./spanplace.js";

const painted = { "step-now": new Map(), "step-bad": new Map(), "step-good": new Map() }; // name → column → ranges
const BY_LABEL = { "-1": "step-bad", 1: "step-good" };
const brief = (text) => (text.length > 90 ? `${text.slice(0, 89)}…` : text);

export class Steps {
  /** @param column whose editor knows the text  @param steps [{start, end, kind}] in code points */
  constructor(place, column, steps, changed, signal, say) {
    Object.assign(this, { column, steps, changed, say, first: place.dataset.kind === "first_error", now: null });
    this.labels = steps.map(() => null);
    const points = Array.from(column.raw);
    this.rows = steps.map((step, i) => this.#row(i, step, brief(points.slice(step.start, step.end).join("").trim())));
    place.querySelector("ol").replaceChildren(...this.rows.map(({ element }) => element));
    if (this.first) place.append((this.none = this.#button("No error", () => this.label(steps.length - 1, 1))));
    place.addEventListener("keydown", (event) => this.#key(event), { signal });
    place.addEventListener("focusin", ({ target }) => this.#at(this.rows.findIndex(({ element }) => element.contains(target))), { signal });
    place.addEventListener("focusout", ({ relatedTarget }) => place.contains(relatedTarget) || this.#at(null), { signal });
    this.#show();
  }

  #button(textContent, act) {
    const button = make("button", { type: "button", className: "small", textContent });
    button.addEventListener("click", act);
    return button;
  }

  #row(i, { kind }, words) {
    const [element, go, place] = [make("li", {}), make("button", { type: "button", className: "link small" }), make("span", { className: "labels" })];
    go.append(...(kind ? [make("span", { className: "badge", textContent: kind })] : []), ` ${words}`);
    go.addEventListener("click", () => this.#at(i));
    const error = this.first && this.#button("First error", () => this.label(i, this.labels[i] === -1 ? null : -1));
    const labels = this.first ? null : new Labels(place, `Step ${i + 1}`, (value) => this.#set(i, value));
    if (error) place.append(error);
    for (const button of place.children) button.tabIndex = -1; // by keyboard − 0 + do it
    element.append(go, place);
    return { element, go, labels, error };
  }

  #key(event) {
    const at = this.rows.findIndex(({ element }) => element.contains(event.target));
    if (event.ctrlKey || event.metaKey || event.altKey || at < 0) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") this.focus(at + (event.key === "ArrowDown" ? 1 : -1));
    else if (Object.hasOwn(KEYS, event.key)) this.label(at, KEYS[event.key]);
    else return;
    event.preventDefault();
  }

  /** Give the i-th step a label and go on. Of first errors: − is here, + is nowhere, else nothing is said. */
  label(i, value) {
    if (!this.first) this.#set(i, value);
    else if (value === -1) this.#all(this.steps.map((_, n) => (n < i ? 1 : n === i ? -1 : null)));
    else this.#all(this.steps.map(() => (value === 1 ? 1 : null)));
    if (!this.first && value !== null) this.focus(i + 1);
  }

  #set(i, value) {
    this.#all(this.labels.with(i, value));
    this.say(`Step ${i + 1}: ${nameOf(value)}.`);
  }

  #all(labels) {
    this.labels = labels;
    this.#show();
    if (this.first) this.say(labels.includes(-1) ? `First error: step ${labels.indexOf(-1) + 1}.` : labels[0] ? "No error." : "Not said.");
    this.changed();
  }

  #show() {
    const none = this.labels.every((label) => label === 1);
    this.rows.forEach(({ element, go, labels, error }, i) => {
      element.dataset.label = this.labels[i] ?? "";
      labels?.set(this.labels[i]);
      if (error) error.setAttribute("aria-pressed", this.labels[i] === -1);
      go.tabIndex = i === (this.now ?? 0) ? 0 : -1;
      go.setAttribute("aria-current", i === this.now);
    });
    this.none?.setAttribute("aria-pressed", none);
    this.paint();
  }

  #at(i) {
    this.now = i === -1 ? this.now : i;
    this.#show();
    if (i !== null && i >= 0) reveal({ map: this.column.editor.map, range: this.steps[i] });
  }

  /** To the i-th step, else to the first without a label. */
  focus(i = this.labels.indexOf(null)) {
    this.rows[Math.min(Math.max(i, 0), this.rows.length - 1)].go.focus();
  }

  get done() {
    return this.first ? this.labels[0] !== null : !this.labels.includes(null);
  }

  /** Draw anew, also after another view of the text was chosen. */
  paint() {
    const ranges = { "step-now": [], "step-bad": [], "step-good": [] };
    this.steps.forEach(({ start, end }, i) => {
      const name = i === this.now ? "step-now" : BY_LABEL[this.labels[i]];
      if (name) ranges[name].push(...this.column.editor.map.ranges(start, end));
    });
    for (const [name, byColumn] of Object.entries(painted)) {
      byColumn.set(this.column, ranges[name]);
      CSS.highlights.set(name, new Highlight(...[...byColumn.values()].flat()));
    }
  }

  destroy() {
    for (const byColumn of Object.values(painted)) byColumn.delete(this.column);
  }

  read() {
    return this.labels.some((label) => label !== null) ? this.labels : undefined;
  }

  restore(labels) {
    this.labels = labels?.length === this.steps.length ? [...labels] : this.steps.map(() => null);
    this.#show();
  }
}
