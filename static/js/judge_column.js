// One response: its text with marks, what is missing from it, "checked, nothing to mark", rubric and safety answers.

import { MarkList } from "./judge_marks.js";
import { MissingList } from "./judge_missing.js";
import { SpanEditor } from "./spans.js";

export class Column {
  /** @param response {id, raw}  @param project {categories, rules}  @param answer the whole answer to restore  @param changed called on every edit */
  constructor(element, response, { categories, rules }, answer, changed) {
    Object.assign(this, { element, categories, rules, changed, id: response.id, raw: response.raw });
    this.box = element.querySelector("[data-checked]");
    this.#edit(this.#own(answer.spans), this.#own(answer.omissions));
    this.#restore(answer);
    element.querySelector('[data-do="mark"]')?.addEventListener("click", () => this.mark());
    element.querySelector('[data-do="missing"]')?.addEventListener("click", () => this.addMissing());
    this.#sync();
  }

  #own(rows = []) {
    return rows.filter((row) => row.response === this.id).map(({ response, ...row }) => row);
  }

  #restore({ checked = [], ratings = {}, safety = {} }) {
    this.box.checked = checked.includes(this.id);
    for (const [criterion, value] of Object.entries(ratings[this.id] ?? {})) {
      const level = this.element.querySelector(`[data-criterion="${criterion}"] input[value="${value}"]`);
      if (level) level.checked = true;
    }
    for (const select of this.element.querySelectorAll("[data-safety]")) select.value = safety[this.id]?.[select.dataset.safety] ?? "";
  }

  #edit(spans, missing) {
    const root = this.element.querySelector("[data-view=rendered]");
    const omissions = this.element.querySelector('[data-do="missing"]') && missing;
    const onChange = () => (this.#sync(), this.changed());
    const { raw, categories, rules } = this;
    this.editor = new SpanEditor(root, { raw, categories, rules, spans, omissions, onChange });
    this.editor.own.add(document.getElementById("keys"));
    this.#list();
  }

  #list() {
    const place = (name) => this.element.querySelector(name);
    this.lists = [new MarkList(place(".marks"), this.editor), new MissingList(place(".missing"), this.editor)];
  }

  /** Rendered or raw: the same marks on another view of the same text. */
  show(view) {
    this.lists.forEach((list) => list.destroy());
    this.editor.show(this.element.querySelector(`[data-view="${view}"]`));
    this.#list();
  }

  /** A response with marks cannot be one with nothing to mark. */
  #sync() {
    const marked = this.editor.spans.length + this.editor.omissions.length > 0;
    this.box.disabled = marked;
    if (marked) this.box.checked = false;
  }

  mark() {
    if (this.categories.length) this.editor.startKeyboard();
  }

  enter() {
    this.element.querySelector(".body").focus();
  }

  rate() {
    const lines = [...this.element.querySelectorAll(".rating")];
    const line = lines.find((each) => !each.querySelector(":checked")) ?? lines[0];
    (line?.querySelector(":checked") ?? line?.querySelector("input"))?.focus();
  }

  /** Says what came of it. */
  toggleChecked() {
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

  value() {
    const tagged = (row) => ({ response: this.id, ...row });
    const lines = [...this.element.querySelectorAll(".rating")].map((line) => [line.dataset.criterion, line.querySelector(":checked")?.value]);
    const hazards = [...this.element.querySelectorAll("[data-safety]")].map((select) => [select.dataset.safety, select.value]);
    const given = (pairs) => Object.fromEntries(pairs.filter(([, value]) => value).map(([key, value]) => [key, +value]));
    return {
      spans: this.editor.value().map(tagged), omissions: this.editor.missing().map(tagged),
      checked: this.box.checked ? [this.id] : [], ratings: given(lines), safety: given(hazards),
    };
  }
}
