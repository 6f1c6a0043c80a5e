// The bar that offers the categories beneath what is chosen, and the line that is read aloud.

const HINT = "? keys · Esc leaves";

export class Bar {
  constructor(editor) {
    this.editor = editor;
    this.element = document.createElement("div");
    this.element.className = "span-bar";
    this.element.popover = "manual"; // in the top layer: no scrolling pane can cut it off
    this.element.setAttribute("role", "toolbar");
    this.element.setAttribute("aria-label", "Mark as");
    this.buttons = editor.categories.map((category) => this.#category(category));
    this.bin = this.#button("Del", "Remove", () => editor.remove(editor.selected));
    this.hint = document.createElement("p");
    this.hint.textContent = HINT;
    this.hint.ariaHidden = "true"; // who hears the page has the list of keys
    this.element.append(...this.buttons, this.bin, this.hint);
    this.live = document.createElement("div");
    this.live.className = "visually-hidden";
    this.live.setAttribute("role", "status");
    this.live.setAttribute("aria-live", "polite");
    editor.root.after(this.element, this.live);
    this.element.addEventListener("mousedown", (event) => event.preventDefault()); // the choice and the focus stay
    this.place = this.place.bind(this);
  }

  #category({ index, key, label, color }) {
    const button = this.#button(index < 10 ? String((index + 1) % 10) : "", label, () => this.editor.mark(key));
    button.style.setProperty("--mark", color);
    button.dataset.category = key;
    return button;
  }

  #button(key, label, act) {
    const [button, cap] = [document.createElement("button"), document.createElement("kbd")];
    button.type = "button";
    cap.textContent = key;
    button.append(...(key ? [cap] : []), label);
    button.addEventListener("click", () => {
      act();
      this.editor.root.focus();
    });
    return button;
  }

  /** Shown while something is chosen. */
  show() {
    const { range, selected, spans } = this.editor;
    const open = Boolean(range);
    const current = spans.find((span) => span.id === selected);
    for (const button of this.buttons)
      button.setAttribute("aria-pressed", button.dataset.category === current?.category);
    this.bin.hidden = !current;
    this.hint.hidden = !this.editor.keyboard || Boolean(current);
    if (open !== this.element.matches(":popover-open")) this.element.togglePopover(open);
    document[open ? "addEventListener" : "removeEventListener"]("scroll", this.place, { capture: true, passive: true });
    if (open) this.place();
  }

  /** Under what is chosen; by keyboard above the whole text, so that the words one goes on to stay in sight. */
  place() {
    const { range, map, keyboard } = this.editor;
    const near = range && (keyboard ? map.pane.getBoundingClientRect() : map.box(range.start, range.end));
    if (!near) return;
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const above = keyboard || near.bottom + 8 + height > innerHeight;
    const top = above ? near.top - height - (keyboard ? 0 : 8) : near.bottom + 8;
    this.element.style.left = `${Math.max(8, Math.min(near.left, innerWidth - width - 8))}px`;
    this.element.style.top = `${Math.max(8, top)}px`;
  }

  focus() {
    this.buttons[0]?.focus();
  }

  remove() {
    document.removeEventListener("scroll", this.place, { capture: true });
    this.element.remove();
    this.live.remove();
  }
}
