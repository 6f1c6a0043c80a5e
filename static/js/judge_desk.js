// One task on the page: joins what SHAPES the answer (build), its drafts, its history, and its one submit.

import { Activity } from "./judge_activity.js";
import { named, reconcile } from "./judge_conflict.js";
import { Saver } from "./judge_drafts.js";
import { History, parts } from "./judge_history.js";
import { same } from "./judge_merge.js";
import { forget, leftBehind } from "./judge_outbox.js";
import { build } from "./judge_page.js";
import { insist, post } from "./judge_post.js";
import { alert, announce, say, tellWhy } from "./judge_status.js";
import { flag, showErrors, submitOnce } from "./judge_submit.js";
import { wishes } from "./judge_swap.js";

const BEAT_MS = 60000;

export class Desk {
  /** @param go(result) leaves for what the server named after a submit or a skip */
  constructor(main, go) {
    this.data = JSON.parse(main.querySelector("#judge-data").textContent);
    this.end = new AbortController();
    Object.assign(this, { main, go, form: main.querySelector("#answer"), sealed: false });
    this.title = main.querySelector("#prompt .turn:last-child .text")?.textContent.trim().slice(0, 80) ?? "";
    this.page = build(main, this.data, () => this.changed(), { undo: this.undo, redo: this.redo });
    this.saves = Boolean(this.form.dataset.draft);
    if (this.saves) this.#open();
  }

  #open() {
    const { signal } = this.end;
    this.activity = new Activity(this.data.activeMs, signal);
    this.history = new History(this.page.read());
    this.saver = new Saver(this);
    this.form.addEventListener("submit", (event) => (event.preventDefault(), this.submit()), { signal });
    this.main.querySelector("#skip form")?.addEventListener("submit", (event) => (event.preventDefault(), this.skip(event.target)), { signal });
    this.main.querySelector("#flag form")?.addEventListener("submit", (event) => (event.preventDefault(), flag(event.target)), { signal });
    const beat = setInterval(() => this.activity.within(2 * BEAT_MS) && this.#beat(), BEAT_MS);
    signal.addEventListener("abort", () => clearInterval(beat));
  }

  /** Work that tabs now gone had not brought to the server: taken up here. */
  async recover() {
    if (!this.saves) return;
    for (const { id, base, answer, active_ms: ms, refused } of await leftBehind(location.pathname)) {
      const together = await reconcile(base, () => this.page.read(), answer);
      if (!together) continue; // put off: it is still kept
      if (!same(together, this.page.read())) this.show(together);
      this.activity.ms = Math.max(this.activity.ms, ms ?? 0);
      if (!same(together, this.saver.base)) await this.saver.changed();
      await forget(id);
      if (refused) alert(`This answer was not taken: ${refused} It is here again.`);
    }
  }

  /** Every edit of every kind comes through here. */
  changed() {
    if (!this.saves || this.sealed || this.showing) return;
    this.history.note(this.page.read());
    this.saver.changed();
  }

  /** Put another answer on the page: an edit like any other. */
  show(answer) {
    this.showing = true;
    this.page.restore(answer);
    this.showing = false;
    this.history.note(this.page.read());
  }

  undo = () => this.#travel("undo", "Undone", "Nothing to undo.");
  redo = () => this.#travel("redo", "Done again", "Nothing to do again.");

  #travel(way, said, nothing) {
    const before = this.history?.now;
    const answer = this.sealed ? null : this.history?.[way]();
    if (!answer) return announce(nothing);
    this.showing = true;
    this.page.restore(answer);
    this.showing = false;
    this.history.now = this.page.read();
    announce(`${said}: ${named(parts(before, this.history.now))}.`);
    this.saver.changed();
  }

  /** While it is sent nothing changes: what is stored must be what was seen. */
  seal(on) {
    if (on) this.focused = document.activeElement;
    this.sealed = this.form.inert = on;
    this.early = 0; // keys pressed meanwhile
    if (!on && this.focused?.isConnected) this.focused.focus();
  }

  async submit() {
    if (this.sealed || !this.saves) return;
    this.seal(true);
    await this.saver.stop();
    const result = await submitOnce(this);
    if (result?.status === 200) return this.leave(result);
    this.seal(false);
    if (!result) return this.saver.changed();
    if (result.status === 409 && result.draft) return this.#together(result);
    showErrors(this.form, result);
    this.saver.changed();
  }

  async #together(result) {
    const done = await this.saver.merge(result);
    if (done === "ours") this.submit();
    else if (done) say("brought together with another tab – look, then submit again");
  }

  async skip(form) {
    if (this.sealed) return;
    form.closest("dialog").close();
    this.seal(true);
    await this.saver.stop();
    const stop = new AbortController();
    const body = { reason: new FormData(form).get("reason"), ...wishes() };
    const told = (why) => tellWhy(why, "skips when the server is back", { "Do not skip": () => stop.abort() });
    const result = await insist(() => post(form.action, body), told, stop.signal);
    if (result?.status === 200) return this.leave({ ...result, skipped: form.action });
    this.seal(false);
    if (result) alert(result.error ?? `The server refused (${result.status}).`);
  }

  leave(result) {
    this.go({ ...result, early: this.early });
  }

  async #beat() {
    const { status, held } = await post(this.form.dataset.heartbeat, {}).catch(() => ({}));
    if (status === 200 && !held) alert("Your time on this task ran out, and its place went to somebody else. Your work is kept, but the answer may be refused.");
  }

  destroy() {
    this.end.abort();
    this.saver?.stop();
    this.page.destroy();
  }
}
