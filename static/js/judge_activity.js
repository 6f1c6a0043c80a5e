// Time spent at work: pauses longer than the idle limit do not count, nor does another tab's time.

const IDLE_MS = 30000;
const SIGNS = ["keydown", "pointerdown", "wheel", "pointermove", "input"];

export class Activity {
  /** @param ms what was counted before the page was opened  @param signal ends the counting */
  constructor(ms, signal, now = Date.now) {
    Object.assign(this, { ms, now, seen: now(), away: document.hidden });
    for (const name of SIGNS) document.addEventListener(name, () => this.note(), { passive: true, capture: true, signal });
    addEventListener("blur", () => this.leave(), { signal });
    addEventListener("focus", () => this.come(), { signal });
  }

  /** A sign of life: the time since the last one counts, if that was not long ago and was spent here. */
  note() {
    const gap = this.now() - this.seen;
    if (gap < IDLE_MS && !this.away) this.ms += gap;
    this.come();
  }

  come() {
    Object.assign(this, { seen: this.now(), away: false });
  }

  /** Off to another window or tab: what is done there is counted there. */
  leave() {
    this.note();
    this.away = true;
  }

  /** Was anything done here within the last ms milliseconds? */
  within(ms) {
    return this.now() - this.seen < ms;
  }
}
