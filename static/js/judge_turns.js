// Labels and a note on the assistant's turns of the conversation.

import { KEYS, Labels, nameOf } from "./judge_labels.js";
import { fill, make } from "./judge_parts.js";

export class Turns {
  constructor(prompt, changed, signal, say) {
    this.say = say;
    this.turns = [...prompt.querySelectorAll("[data-turn]")].map((element, i) => this.#build(element, i, changed, signal));
  }

  #build(element, i, changed, signal) {
    const place = element.querySelector(".turn-mark");
    const labels = new Labels(place, `Turn ${i + 1}`, changed);
    const note = make("input", { maxLength: 5000, placeholder: "why?", ariaLabel: `Why, turn ${i + 1}` });
    note.addEventListener("input", () => changed());
    place.append(note);
    const keyed = ({ key, target }) => target !== note && Object.hasOwn(KEYS, key);
    element.addEventListener("keydown", (event) => {
      if (!keyed(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      labels.set(KEYS[event.key]);
      changed();
      this.say(`Turn ${i + 1}: ${nameOf(labels.value)}.`);
      this.focus(i + 1);
    }, { signal });
    return { index: +element.dataset.turn, labels, note };
  }

  /** To the i-th turn's labels, else to the first turn without one. Says whether there is any. */
  focus(i = this.turns.findIndex(({ labels }) => labels.value === null)) {
    const turn = this.turns[Math.min(Math.max(i, 0), this.turns.length - 1)];
    turn?.labels.buttons[1].focus();
    return Boolean(turn);
  }

  read() {
    const said = this.turns.filter(({ labels, note }) => labels.value !== null || note.value.trim());
    return Object.fromEntries(said.map(({ index, labels, note }) => [index, { label: labels.value, note: note.value }]));
  }

  restore(turns = {}) {
    for (const { index, labels, note } of this.turns) {
      labels.set(turns[index]?.label ?? null);
      fill(note, turns[index]?.note);
    }
  }
}
