// What is said of the whole task: the preference bar or the ranking, "cannot judge" with its reason, principles, words.

import { Rank } from "./judge_rank.js";
import { fill } from "./judge_parts.js";

const WORDS = ["reason", "rationale", "demonstration"];

export class Verdict {
  /** @param columns from left to right  @param tools {changed, say, took, signal} */
  constructor(form, columns, tools) {
    Object.assign(this, { form, changed: tools.changed, ids: columns.map(({ id }) => id), steps: [...form.querySelectorAll('[name="outcome"]')] });
    const ranked = () => (this.#choose(null), this.changed());
    const place = form.querySelector(".rank");
    this.rank = place && new Rank(place, columns, { ...tools, changed: ranked }, tools.signal);
    this.principles = [...form.querySelectorAll("[data-principle]")];
    const ours = (target) => target.matches("[data-principle]") || [...WORDS, "outcome"].includes(target.name);
    form.addEventListener("input", ({ target }) => ours(target) && (this.#show(), this.changed()), { signal: tools.signal });
    form.querySelector(".principles")?.addEventListener("keydown", (event) => this.#weigh(event), { signal: tools.signal });
  }

  #choose(step) {
    for (const each of this.steps) each.checked = each === step;
    this.#show();
  }

  #show() {
    this.form.querySelector(".why").hidden = this.form.elements.outcome.value !== "cannot_judge";
  }

  #weigh(event) {
    const box = this.principles[+event.key - 1];
    if (!/^\d$/.test(event.key) || !box || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    box.click();
    box.focus();
  }

  /** Choose what the digit stands for, and give its words; nothing where it stands for nothing. */
  choose(digit) {
    if (this.rank && (this.rank.taken !== null || (digit > 0 && digit <= this.ids.length))) return this.rank.digit(digit);
    const fitting = this.steps.filter((each) => each.dataset.key === String(digit)); // the same digit again is the next
    const step = fitting[(fitting.findIndex((each) => each.checked) + 1) % fitting.length];
    step?.click();
    if (step?.value === "cannot_judge") this.form.elements.reason.focus();
    return step?.ariaLabel;
  }

  /** To the principles: the first that is chosen, else the first. */
  focusPrinciples() {
    (this.principles.find((box) => box.checked) ?? this.principles[0])?.focus();
  }

  /** @param said is anything said of a response, or of the conversation? */
  read(said) {
    const words = Object.fromEntries(WORDS.map((name) => [name, this.form.elements[name]?.value ?? ""]));
    const principles = this.principles.filter((box) => box.checked).map((box) => box.value);
    return { ...this.#outcome(said || words.demonstration.trim()), ...words, principles };
  }

  #outcome(said) {
    const chosen = this.steps.find((step) => step.checked);
    if (chosen && chosen.dataset.winner === undefined) return { outcome: chosen.value, ranking: [], strength: null };
    if (this.rank) return this.rank.read();
    if (this.ids.length < 2) return { outcome: said ? "ranking" : null, ranking: said && this.ids.length ? [this.ids] : [], strength: null };
    if (!chosen) return { outcome: null, ranking: [], strength: null };
    const winner = this.ids[chosen.dataset.winner];
    const strength = this.steps.filter((step) => step.dataset.winner).length > 2 ? +chosen.dataset.strength : null;
    return { outcome: "ranking", ranking: [[winner], this.ids.filter((id) => id !== winner)], strength };
  }

  restore(answer) {
    this.#choose(this.steps.find((step) => this.#matches(step, answer)));
    this.rank?.restore(answer);
    for (const name of WORDS) if (this.form.elements[name]) fill(this.form.elements[name], answer[name]);
    for (const box of this.principles) box.checked = (answer.principles ?? []).includes(box.value);
  }

  #matches(step, { outcome, ranking = [], strength }) {
    if (outcome !== "ranking" || this.rank) return step.value === outcome;
    const winner = this.ids.indexOf(ranking[0]?.[0]);
    const same = strength == null || +step.dataset.strength === strength;
    return step.dataset.winner !== undefined && +step.dataset.winner === winner && same;
  }
}
