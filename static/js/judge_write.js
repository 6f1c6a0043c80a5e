// A better version of a response: begun from its text, with a view of what changed.

import { diff } from "./judge_diff.js";
import { make } from "./judge_parts.js";

const TAG = { same: "span", gone: "del", new: "ins" };

export class Rewrite {
  constructor(column, raw, changed, signal, leave) {
    Object.assign(this, { raw, changed, leave, panel: column.querySelector(".rewrite"), opener: column.querySelector('[data-do="write"]') });
    const at = (name) => this.panel.querySelector(name);
    Object.assign(this, { text: at("textarea"), view: at(".diff"), toggle: at('[data-do="diff"]') });
    this.opener.addEventListener("click", () => this.open(), { signal });
    this.text.addEventListener("input", () => changed(), { signal });
    this.toggle.addEventListener("click", () => this.#compare(this.view.hidden), { signal });
    at('[data-do="discard"]').addEventListener("click", () => this.#discard(), { signal });
  }

  #show(open) {
    this.panel.hidden = !open;
    this.opener.setAttribute("aria-expanded", open);
    this.#compare(false);
  }

  /** With the response's own text, unless there is one already. */
  open() {
    if (this.panel.hidden) {
      this.text.value ||= this.raw;
      this.#show(true);
    }
    this.#compare(false);
    this.text.focus();
    this.text.setSelectionRange(0, 0);
  }

  #discard() {
    this.text.value = "";
    this.#show(false);
    this.leave();
    this.changed();
  }

  #compare(on) {
    [this.view.hidden, this.text.hidden] = [!on, on];
    this.toggle.setAttribute("aria-pressed", on);
    if (on) this.view.replaceChildren(...diff(this.raw, this.text.value).map(([kind, textContent]) => make(TAG[kind], { textContent })));
  }

  read() {
    const written = this.text.value;
    return this.panel.hidden || !written.trim() || written === this.raw ? undefined : written;
  }

  /** A panel being written in stays open, so that its focus is not lost. */
  restore(text) {
    if (text === undefined && this.text === document.activeElement) this.text.value = this.raw;
    else if (text !== this.read()) [this.text.value] = [text ?? "", this.#show(text !== undefined)];
  }
}
