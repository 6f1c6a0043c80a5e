// The rubric of one response: levels, yes or no, or a number for each line, and why; each can be taken back.

import { fill } from "./judge_parts.js";

export class Rubric {
  /** @param say (text) reads it aloud  @param done where focus goes after the last line */
  constructor(column, changed, signal, say, done) {
    Object.assign(this, { changed, say, done, lines: [...column.querySelectorAll(".rating")] });
    for (const line of this.lines) {
      line.addEventListener("click", ({ target }) => target.matches("[type=radio]") && this.#clicked(line, target), { signal });
      line.addEventListener("keydown", (event) => this.#key(line, event), { signal });
      line.addEventListener("input", ({ target }) => target.matches("[type=radio]") || changed(), { signal });
      for (const name of ["pointerover", "focusin", "pointerout", "focusout"])
        line.addEventListener(name, (event) => this.#explain(line, event), { signal });
    }
  }

  /** The words of the level in hand, else of all that have some. */
  #explain(line, { type, target }) {
    const level = target.closest("label")?.querySelector("input") ?? target;
    const words = type.endsWith("out") ? "" : level.dataset?.words && `${level.value}: ${level.dataset.words}`;
    const place = line.querySelector(".anchors");
    if (place) place.textContent = words || line.dataset.words;
  }

  #clicked(line, radio) {
    if (line.dataset.given === radio.value) radio.checked = false; // pressed again
    line.dataset.given = line.querySelector(":checked")?.value ?? "";
    this.changed();
  }

  #key(line, event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("[data-reason]")) return;
    const number = event.target.matches("[type=number]");
    const clears = ["Delete", "Backspace"].includes(event.key) && !number;
    if (number && event.key === "Enter") this.#next(line);
    else if (clears) this.#clear(line);
    else if (number || !this.#rate(line, event.key)) return;
    event.preventDefault();
  }

  /** A digit is a level; 0 stands for 10, and clears where there is neither. y and n answer a check. */
  #rate(line, key) {
    const value = line.classList.contains("yes_no") ? { y: "1", n: "0" }[key.toLowerCase()] ?? key : key;
    const find = (wanted) => line.querySelector(`input[type=radio][value="${wanted}"]`);
    const level = /^\d$/.test(value) && (find(value) ?? (value === "0" && find("10")));
    if (!level) return value === "0" && (this.#clear(line), true);
    if (!level.checked) level.click();
    this.say(`${line.querySelector("legend").firstChild.textContent.trim()}: ${level.ariaLabel ?? level.nextElementSibling.textContent}.`);
    this.#next(line);
    return true;
  }

  #clear(line) {
    this.#set(line, undefined);
    this.changed();
  }

  #next(line) {
    const next = this.lines[this.lines.indexOf(line) + 1];
    if (next) field(next).focus();
    else this.done(); // after the last line digits mean the answer again
  }

  /** To the first line without an answer. */
  focus() {
    const line = this.lines.find((each) => valueOf(each) === undefined) ?? this.lines[0];
    if (line) field(line).focus();
  }

  #set(line, value) {
    for (const radio of line.querySelectorAll("[type=radio]")) radio.checked = Number(radio.value) === value;
    line.dataset.given = value ?? "";
    const number = line.querySelector("[type=number]");
    if (number && +number.value !== value) number.value = value ?? "";
  }

  read() {
    return byKey(this.lines, valueOf);
  }

  reasons() {
    return byKey(this.lines, (line) => line.querySelector("[data-reason]")?.value || undefined);
  }

  restore(ratings = {}, rationales = {}) {
    for (const line of this.lines) {
      this.#set(line, ratings[line.dataset.criterion]);
      const reason = line.querySelector("[data-reason]");
      if (reason) fill(reason, rationales[line.dataset.criterion]);
    }
  }
}

const field = (line) => line.querySelector(":checked") ?? line.querySelector("input");
const byKey = (lines, value) =>
  Object.fromEntries(lines.map((line) => [line.dataset.criterion, value(line)]).filter(([, given]) => given !== undefined));

function valueOf(line) {
  const given = line.querySelector(":checked")?.value ?? line.querySelector("[type=number]")?.value ?? "";
  return given === "" ? undefined : +given;
}
