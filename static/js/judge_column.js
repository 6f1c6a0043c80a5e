// One response: its text with marks, what is missing from it, "checked, nothing to mark", rubric and safety answers.

import { MarkList } from "./judge_marks.js";
import { make, severitySelect } from "./judge_parts.js";
import { SpanEditor } from "./spans.js";

export class Column {
  /** @param response {id, raw}  @param answer the whole answer to restore  @param changed called on every edit */
  constructor(element, response, categories, answer, changed) {
    Object.assign(this, { element, categories, changed, id: response.id, raw: response.raw });
    this.box = element.querySelector("[data-checked]");
    this.missing = element.querySelector(".missing");
    this.#edit("rendered", this.#own(answer.spans));
    this.#own(answer.omissions).forEach((omission) => this.addMissing(omission));
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

  #edit(view, spans) {
    const root = this.element.querySelector(`[data-view="${view}"]`);
    const onChange = () => (this.#sync(), this.changed());
    this.editor = new SpanEditor(root, { raw: this.raw, categories: this.categories, spans, onChange });
    this.editor.own.add(document.getElementById("keys"));
    this.list = new MarkList(this.element.querySelector(".marks"), this.editor);
  }

  /** Rendered or raw: the same marks on another view of the same text. */
  show(view) {
    const [spans, focused] = [this.editor.value(), this.editor.root === document.activeElement];
    this.list.destroy();
    this.editor.destroy();
    for (const each of this.element.querySelectorAll("[data-view]")) each.hidden = each.dataset.view !== view;
    this.#edit(view, spans);
    if (focused) this.leaveField();
  }

  /** A response with marks cannot be one with nothing to mark. */
  #sync() {
    const marked = this.editor.value().length > 0 || this.missing.children.length > 0;
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

  /** A line that says what is missing; new ones stand where text is chosen, if any is. */
  addMissing(omission = null) {
    if (!this.element.querySelector('[data-do="missing"]')) return;
    const { at, note, severity } = omission ?? { at: this.editor.range?.end ?? null, note: "", severity: null };
    const row = make("li", { className: "omission" });
    row.at = at;
    const where = at === null ? "anywhere" : `after “${Array.from(this.raw).slice(Math.max(0, at - 20), at).join("")}”`;
    const text = make("input", { value: note, placeholder: `What is missing (${where})?`, maxLength: 5000 });
    text.setAttribute("aria-label", `What is missing, ${where}`);
    const remove = make("button", { type: "button", className: "small", textContent: "Remove" });
    remove.addEventListener("click", () => (row.remove(), this.enter(), this.#sync(), this.changed()));
    text.addEventListener("keydown", ({ key }) => key === "Escape" && !text.value.trim() && remove.click()); // opened by mistake
    row.append(text, severitySelect(severity), remove);
    this.missing.append(row);
    this.#sync();
    if (!omission) (text.focus(), this.changed());
  }

  value() {
    const tagged = (row) => ({ response: this.id, ...row });
    const omissions = [...this.missing.children].map((row) => ({
      at: row.at, note: row.querySelector("input").value, severity: +row.querySelector("select").value || null,
    }));
    const lines = [...this.element.querySelectorAll(".rating")].map((line) => [line.dataset.criterion, line.querySelector(":checked")?.value]);
    const hazards = [...this.element.querySelectorAll("[data-safety]")].map((select) => [select.dataset.safety, select.value]);
    const given = (pairs) => Object.fromEntries(pairs.filter(([, value]) => value).map(([key, value]) => [key, +value]));
    return {
      spans: this.editor.value().map(tagged), omissions: omissions.map(tagged),
      checked: this.box.checked ? [this.id] : [], ratings: given(lines), safety: given(hazards),
    };
  }
}
