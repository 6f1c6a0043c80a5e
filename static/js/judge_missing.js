// The list of what is missing from a response: say what, and how bad that is; remove it. The editor holds and draws them.

import { fill, make, severitySelect } from "./judge_parts.js";
import { where } from "./spanwords.js";

export class MissingList {
  constructor(list, editor) {
    Object.assign(this, { list, editor });
    const { signal } = (this.listening = new AbortController());
    editor.own.add(list);
    editor.root.addEventListener("omissionschange", () => this.show(), { signal });
    editor.root.addEventListener("omissionselect", ({ detail }) => this.#choose(detail.id), { signal });
    editor.root.addEventListener("omissionedit", ({ detail }) => this.#row(detail.id)?.querySelector("input").focus(), { signal });
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

  /** Rows are kept while their omissions live, so that a field being typed in keeps its focus. */
  show() {
    const rows = this.editor.omissions.map((one) => this.#label(this.#row(one.id) ?? this.#build(one), one));
    for (const row of [...this.list.children]) if (!rows.includes(row)) row.remove();
    rows.forEach((row, i) => this.list.children[i] !== row && this.list.insertBefore(row, this.list.children[i] ?? null));
  }

  #label(row, omission) {
    const place = where(omission, this.editor.map);
    const [find, note] = [row.querySelector("button"), row.querySelector("input")];
    find.title = `Missing ${place}`;
    note.placeholder = `What is missing (${place})?`;
    note.ariaLabel = `What is missing, ${place}`;
    row.classList.toggle("chosen", omission.id === this.editor.selected);
    for (const field of row.querySelectorAll("[name]")) fill(field, omission[field.name]);
    return row;
  }

  #build({ id }) {
    const row = make("li", { className: "omission" });
    row.dataset.id = id;
    const find = make("button", { type: "button", className: "link small", textContent: "‸", ariaLabel: "Show where it is missing" });
    find.addEventListener("click", () => this.editor.select(id));
    const note = make("input", { name: "note", maxLength: 5000 });
    note.addEventListener("keydown", ({ key }) => key === "Escape" && !note.value.trim() && remove.click()); // opened by mistake
    const remove = make("button", { type: "button", className: "small", textContent: "Remove" });
    remove.addEventListener("click", () => (this.editor.remove(id), this.editor.root.focus({ preventScroll: true })));
    row.append(find, note, severitySelect(), remove);
    row.addEventListener("input", ({ target: { name, value } }) => {
      this.editor.update(id, { [name]: name === "severity" ? +value || null : value });
    });
    return row;
  }
}
