// Three buttons for one step or turn: bad, neutral, good; pressed again a label is taken back.

import { make } from "./judge_parts.js";

const LABELS = [[-1, "−", "bad"], [0, "0", "neutral"], [1, "+", "good"]];
/** What a key says of a step or turn; null clears, undefined is another key. */
export const KEYS = { "-": -1, "−": -1, 0: 0, "+": 1, "=": 1, Delete: null, Backspace: null };
export const nameOf = (value) => LABELS.find(([each]) => each === value)?.[2] ?? "not said";

export class Labels {
  /** @param place element to fill  @param name for who hears the page  @param changed called on a click */
  constructor(place, name, changed) {
    this.buttons = LABELS.map(([value, textContent, words]) => {
      const button = make("button", { type: "button", className: "label", textContent, title: words, ariaLabel: `${name}: ${words}` });
      button.dataset.value = value;
      button.addEventListener("click", () => (this.set(this.value === value ? null : value), changed(this.value)));
      return button;
    });
    place.append(...this.buttons);
    this.set(null);
  }

  set(value) {
    this.value = value;
    for (const button of this.buttons) button.setAttribute("aria-pressed", +button.dataset.value === value && value !== null);
  }
}
