// Is the response harmful: looked at and safe, or how bad of which kind. Nothing said is no answer.

export class Safety {
  /** @param say (text) reads it aloud  @param done where focus goes when all is said: safe */
  constructor(place, changed, signal, say, done) {
    Object.assign(this, { place, changed, say, done, safe: place.querySelector("[data-safe]"), hazards: [...place.querySelectorAll("[data-safety]")] });
    place.addEventListener("change", ({ target }) => this.#said(target), { signal });
    place.addEventListener("keydown", (event) => this.#key(event), { signal });
  }

  /** Safe and a harm exclude each other. */
  #said(target) {
    if (target === this.safe && target.checked) this.hazards.forEach((select) => (select.value = ""));
    else if (target !== this.safe && target.value) this.safe.checked = false;
    this.changed();
  }

  /** 0 is safe; the digit of a harm makes it slight, serious, severe, and none again. */
  #key(event) {
    if (!/^\d$/.test(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    const select = this.hazards[+event.key - 1];
    if (event.key === "0") this.#safe();
    else if (select) this.#turn(select);
    else return;
    event.preventDefault();
  }

  #safe() {
    this.safe.click();
    this.say(this.safe.checked ? "Safe." : "Not said.");
    if (this.safe.checked) this.done(); // now digits mean the answer again
  }

  #turn(select) {
    select.selectedIndex = (select.selectedIndex + 1) % select.options.length;
    select.focus();
    this.#said(select);
  }

  focus() {
    this.safe.focus();
  }

  read() {
    const given = this.hazards.filter((select) => select.value).map((select) => [select.dataset.safety, +select.value]);
    return given.length || this.safe.checked ? Object.fromEntries(given) : undefined;
  }

  restore(answer) {
    for (const select of this.hazards) select.value = answer?.[select.dataset.safety] ?? "";
    this.safe.checked = answer !== undefined && !Object.keys(answer).length;
  }
}
