// Time spent at work: pauses longer than the idle limit do not count.

const IDLE_MS = 30000;

export class Activity {
  /** @param ms what was counted before the page was opened */
  constructor(ms) {
    this.ms = ms;
    this.seen = Date.now();
    for (const name of ["keydown", "pointerdown", "wheel", "pointermove"]) document.addEventListener(name, () => this.#note(), { passive: true });
  }

  #note() {
    const gap = Date.now() - this.seen;
    if (gap < IDLE_MS) this.ms += gap;
    this.seen = Date.now();
  }

  /** Was anything done within the last ms milliseconds? */
  within(ms) {
    return Date.now() - this.seen < ms;
  }
}
