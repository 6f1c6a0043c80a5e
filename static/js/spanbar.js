// The bar that offers the categories beneath what is chosen, the line that is read aloud, and what a rule did.

import { SEVERITIES } from "./spanwords.js";

const HINT = "? keys · Esc leaves";

export class Bar {
  constructor(editor) {
    this.editor = editor;
    this.element = popover("div", "span-bar");
    this.element.setAttribute("role", "toolbar");
    this.element.setAttribute("aria-label", "Mark as");
    this.buttons = editor.categories.map((category) => this.#category(category));
    this.levels = SEVERITIES.slice(1).map((word, i) => this.#level(word, i + 1));
    this.severity = element("span", "span-severity");
    this.severity.setAttribute("role", "group");
    this.severity.ariaLabel = "Severity";
    this.severity.append(cap("−"), ...this.levels, cap("+"));
    this.missing = this.#button("o", "Missing here ‸", () => editor.miss());
    this.bin = this.#button("Del", "Remove", () => editor.remove(editor.selected));
    this.hint = element("p");
    this.hint.textContent = HINT;
    this.hint.ariaHidden = "true"; // who hears the page has the list of keys
    this.element.append(...this.buttons, this.severity, this.missing, this.bin, this.hint);
    this.rule = popover("p", "span-rule"); // what the live line says as well
    this.rule.ariaHidden = "true";
    this.live = element("div", "visually-hidden");
    this.live.setAttribute("role", "status");
    this.live.setAttribute("aria-live", "polite");
    editor.root.after(this.element, this.rule, this.live);
    this.element.addEventListener("mousedown", (event) => event.preventDefault()); // the choice and the focus stay
    this.place = this.place.bind(this);
  }

  #category({ index, key, label, color }) {
    const button = this.#button(index < 10 ? String((index + 1) % 10) : "", label, () => this.editor.mark(key));
    button.style.setProperty("--mark", color);
    button.dataset.category = key;
    return button;
  }

  #level(word, severity) {
    return this.#button("", word, () => {
      const { target } = this.editor;
      this.editor.update(target.id, { severity: target.severity === severity ? null : severity });
    });
  }

  #button(key, label, act) {
    const button = element("button");
    button.type = "button";
    button.append(...(key ? [cap(key)] : []), label);
    button.addEventListener("click", () => {
      this.editor.root.focus({ preventScroll: true }); // before the act: it may lead on to a field
      act();
    });
    return button;
  }

  /** Shown while something is chosen, with what can be done to it. */
  show() {
    const { range, selected, target, offersMissing } = this.editor;
    const [open, chosen] = [Boolean(range), selected ? target : null];
    const words = open && range.start < range.end && !("at" in (target ?? {}));
    for (const button of this.buttons) {
      button.hidden = !words;
      button.setAttribute("aria-pressed", button.dataset.category === chosen?.category);
    }
    this.severity.hidden = !target;
    this.levels.forEach((button, i) => button.setAttribute("aria-pressed", target?.severity === i + 1));
    this.missing.hidden = !offersMissing || !words || Boolean(chosen);
    this.bin.hidden = !chosen;
    this.hint.hidden = !this.editor.keyboard || Boolean(chosen);
    if (open !== this.element.matches(":popover-open")) this.element.togglePopover(open);
    document[open ? "addEventListener" : "removeEventListener"]("scroll", this.place, { capture: true, passive: true });
    if (open) this.place();
  }

  /** What a rule of the project did, in sight until the next act; "" takes it away. */
  explain(text) {
    this.rule.textContent = text;
    if (Boolean(text) !== this.rule.matches(":popover-open")) this.rule.togglePopover(Boolean(text));
    if (!text) return;
    const pane = this.editor.map.pane.getBoundingClientRect();
    const [bottom, left] = [Math.min(pane.bottom, innerHeight), Math.max(pane.left, 0)];
    this.rule.style.top = `${Math.max(8, bottom - this.rule.offsetHeight - 8)}px`;
    this.rule.style.left = `${Math.max(8, Math.min(left + 8, innerWidth - this.rule.offsetWidth - 8))}px`;
  }

  /** Under what is chosen; by keyboard above the whole text, so that the words one goes on to stay in sight. */
  place() {
    const { range, map, keyboard, touched } = this.editor;
    const near = range && (keyboard ? map.pane.getBoundingClientRect() : map.box(range.start, range.end));
    if (!near) return;
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const room = touched ? 40 : 8; // the handles of a selection made by touch
    const above = keyboard || near.bottom + room + height > innerHeight;
    const top = above ? near.top - height - (keyboard ? 0 : room) : near.bottom + room;
    this.element.style.left = `${Math.max(8, Math.min(near.left, innerWidth - width - 8))}px`;
    this.element.style.top = `${Math.max(8, top)}px`;
  }

  focus() {
    [...this.element.querySelectorAll("button")].find((button) => !button.hidden)?.focus();
  }

  remove() {
    document.removeEventListener("scroll", this.place, { capture: true });
    for (const el of [this.element, this.rule, this.live]) el.remove();
  }
}

const element = (name, className = "") => Object.assign(document.createElement(name), { className });
const cap = (textContent) => Object.assign(element("kbd"), { textContent });
// In the top layer: no scrolling pane can cut it off.
const popover = (name, className) => Object.assign(element(name, className), { popover: "manual" });
