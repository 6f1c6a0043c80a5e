// One response: its text with marks and what is missing, and what is asked about it: rubric, safety, steps, a rewrite.

import { MarkList } from "./judge_marks.js";
import { MissingList } from "./judge_missing.js";
import { Rewrite } from "./judge_write.js";
import { Rubric } from "./judge_rubric.js";
import { Safety } from "./judge_safety.js";
import { SpanEditor } from "./spans.js";
import { Steps } from "./judge_steps.js";

export class Column {
  /** @param response {id, raw, steps}  @param project {categories, rules}  @param tools {changed, say, signal, history} */
  constructor(element, response, { categories, rules }, tools) {
    Object.assign(this, { element, categories, rules, ...tools, id: response.id, raw: response.raw });
    this.box = this.#at("[data-checked]");
    this.#edit();
    const { changed, signal, say } = tools;
    const leave = () => this.enter();
    this.rubric = new Rubric(element, changed, signal, say, leave);
    this.safety = this.#at(".safety") && new Safety(this.#at(".safety"), changed, signal, say, leave);
    const list = response.steps.length ? this.#at(".step-list") : null;
    this.steps = list && new Steps(list, this, response.steps, changed, signal, say);
    this.rewrite = this.#at(".rewrite") && new Rewrite(element, response.raw, changed, signal, leave);
    this.#at('[data-do="mark"]')?.addEventListener("click", () => this.mark(), { signal });
    this.#at('[data-do="missing"]')?.addEventListener("click", () => this.addMissing(), { signal });
    this.box?.addEventListener("change", changed, { signal });
  }

  #at = (name) => this.element.querySelector(name);

  #edit() {
    const root = this.#at("[data-view=rendered]");
    const onChange = () => (this.#sync(), this.changed());
    const { raw, categories, rules, history } = this;
    const omissions = this.#at('[data-do="missing"]') && [];
    this.editor = new SpanEditor(root, { raw, categories, rules, omissions, history, onChange });
    const keys = document.getElementById("keys");
    if (keys) this.editor.own.add(keys);
    this.#list();
  }

  #list() {
    this.lists = [new MarkList(this.#at(".marks"), this.editor), new MissingList(this.#at(".missing"), this.editor)];
  }

  /** Rendered or raw: the same marks on another view of the same text. */
  show(view) {
    this.lists.forEach((list) => list.destroy());
    this.editor.show(this.#at(`[data-view="${view}"]`));
    this.#list();
    this.steps?.paint();
  }

  /** A response with marks cannot be one with nothing to mark. */
  #sync() {
    if (!this.box) return;
    this.box.disabled = this.editor.spans.length + this.editor.omissions.length > 0;
    if (this.box.disabled) this.box.checked = false;
  }

  mark() {
    if (this.categories.length) this.editor.startKeyboard();
  }

  enter() {
    this.#at(".body").focus();
  }

  rate() {
    this.rubric.focus();
  }

  /** Says what came of it. */
  toggleChecked() {
    if (!this.box) return "Nothing is marked in this project.";
    if (this.box.disabled) return "This response has marks.";
    this.box.click();
    return this.box.checked ? "Checked, nothing to mark." : "Not checked.";
  }

  /** From a field below back to the text, where the marks are. */
  leaveField() {
    this.editor.root.focus({ preventScroll: true });
  }

  /** Something is missing behind what is chosen, else anywhere. */
  addMissing() {
    if (this.editor.offersMissing) this.editor.miss();
  }

  /** What is said of this response; a part that says nothing is undefined or empty. */
  value() {
    const tagged = (row) => ({ response: this.id, ...row });
    return {
      spans: this.editor.value().map(tagged), omissions: this.editor.missing().map(tagged),
      checked: this.box?.checked ? [this.id] : [],
      ratings: this.rubric.read(), rationales: this.rubric.reasons(),
      safety: this.safety?.read(), steps: this.steps?.read(), corrections: this.rewrite?.read(),
    };
  }

  restore({ spans = [], omissions = [], checked = [], ratings = {}, rationales = {}, safety = {}, steps = {}, corrections = {} }) {
    const own = (rows) => rows.filter((row) => row.response === this.id).map(({ response, ...row }) => row);
    this.editor.setSpans(own(spans), own(omissions));
    this.lists.forEach((list) => list.show());
    if (this.box) this.box.checked = checked.includes(this.id);
    this.#sync();
    this.rubric.restore(ratings[this.id], rationales[this.id]);
    this.safety?.restore(safety[this.id]);
    this.steps?.restore(steps[this.id]);
    this.rewrite?.restore(corrections[this.id]);
  }

  destroy() {
    this.lists.forEach((list) => list.destroy());
    this.steps?.destroy();
    this.editor.destroy();
  }
}
