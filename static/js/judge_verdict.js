// The preference bar, the reason of "cannot judge", and the rationale.

export class Verdict {
  /** @param ids response ids from left to right  @param answer what to restore */
  constructor(form, ids, answer) {
    this.form = form;
    this.ids = ids;
    this.steps = [...form.querySelectorAll('[name="outcome"]')];
    const step = this.steps.find((each) => this.#matches(each, answer));
    if (step) step.checked = true;
    form.elements.reason.value = answer.reason ?? "";
    if (form.elements.rationale) form.elements.rationale.value = answer.rationale ?? "";
    form.addEventListener("change", () => this.#show());
    this.#show();
  }

  #matches(step, { outcome, ranking, strength }) {
    if (outcome !== "ranking") return step.value === outcome;
    const winner = this.ids.indexOf(ranking[0][0]);
    const same = strength == null || +step.dataset.strength === strength;
    return step.dataset.winner !== undefined && +step.dataset.winner === winner && same;
  }

  #show() {
    const unsure = this.form.elements.outcome.value === "cannot_judge";
    this.form.querySelector(".why").hidden = !unsure;
  }

  /** Choose the n-th step of the bar, from 0, and give its words; nothing where there is none. */
  choose(n) {
    const step = this.steps[n];
    step?.click();
    if (step?.value === "cannot_judge") this.form.elements.reason.focus();
    return step?.ariaLabel;
  }

  value() {
    const chosen = this.steps.find((step) => step.checked);
    const rest = { reason: this.form.elements.reason.value, rationale: this.form.elements.rationale?.value ?? "" };
    if (chosen?.dataset.winner === undefined) return { outcome: chosen?.value ?? null, ranking: [], strength: null, ...rest };
    const winner = this.ids[chosen.dataset.winner];
    const others = this.ids.filter((id) => id !== winner);
    const strength = this.steps.filter((step) => step.dataset.winner).length > 2 ? +chosen.dataset.strength : null;
    return { outcome: "ranking", ranking: [[winner], others], strength, ...rest };
  }
}
