// The list of a response's marks: choose one in the text, say how bad it is, why, and what it should be; remove it.

import { fill, make, severitySelect } from "./judge_parts.js";

export class MarkList {
  constructor(list, editor) {
    Object.assign(this, { list, editor });
    const { signal } = (this.listening = new AbortController());
    editor.own.add(list);
    editor.root.addEventListener("spanschange", () => this.show(), { signal });
    editor.root.addEventListener("spanselect", ({ detail }) => this.#choose(detail.id), { signal });
    editor.root.addEventListener("spanedit", ({ detail }) => this.#row(detail.id)?.querySelector("input").focus(), { signal });
    this.show();
  }

  destroy() {
    this.listening.abort();
    this.list.replaceChildren();
  }

  #row(id) {
    return [...this.list.children].find((row) => row.dataset.id === id);
  }

  #choose(id) {
    for (const row of this.list.children) row.classList.toggle("chosen", row.dataset.id === id);
    this.#row(id)?.scrollIntoView({ block: "nearest" });
  }

  /** Rows are kept while their marks live, so that a field being typed in keeps its focus. */
  show() {
    const rows = this.editor.spans.map((span) => this.#label(this.#row(span.id) ?? this.#build(span), span));
    for (const row of [...this.list.children]) if (!rows.includes(row)) row.remove();
    rows.forEach((row, i) => this.list.children[i] !== row && this.list.insertBefore(row, this.list.children[i] ?? null));
  }

  #label(row, span) {
    const category = this.editor.category(span.category);
    row.querySelector(".swatch").style.background = category.color;
    const quote = span.quote.length > 40 ? `${span.quote.slice(0, 39)}…` : span.quote;
    const what = `${category.label}: “${quote}”`;
    row.querySelector(".what").replaceChildren(`${category.label}: “`, make("bdi", { textContent: quote }), "”");
    row.title = span.quote;
    row.classList.toggle("chosen", span.id === this.editor.selected);
    for (const field of row.querySelectorAll("[data-aim]")) field.ariaLabel = `${field.dataset.aim}: ${what}`;
    for (const field of row.querySelectorAll("[name]")) fill(field, span[field.name]);
    return row;
  }

  #build(span) {
    const row = make("li", { className: "mark" });
    row.dataset.id = span.id;
    const choose = make("button", { type: "button", className: "link small" });
    choose.append(make("span", { className: "swatch" }), make("span", { className: "what" }));
    choose.addEventListener("click", () => this.editor.select(span.id));
    const remove = make("button", { type: "button", className: "small", textContent: "Remove" });
    remove.dataset.aim = "Remove";
    remove.addEventListener("click", () => (this.editor.remove(span.id), this.editor.root.focus()));
    row.append(choose, severitySelect(), this.#field("note", "why"), this.#field("correction", "better"), remove);
    row.addEventListener("input", (event) => {
      const value = event.target.name === "severity" ? +event.target.value || null : event.target.value;
      this.editor.update(span.id, { [event.target.name]: value });
    });
    return row;
  }

  #field(name, placeholder) {
    const field = make("input", { name, placeholder, maxLength: 5000 });
    field.dataset.aim = placeholder === "why" ? "Why" : "What it should say";
    return field;
  }
}
