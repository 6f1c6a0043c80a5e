// Drafts: each edit is kept in this browser at once and on the server within a second, under a revision number.

import { forget, fresh, keep } from "./judge_outbox.js";
import { insist, pause, post } from "./judge_post.js";
import { reconcile } from "./judge_conflict.js";
import { same } from "./judge_merge.js";
import { alert, clock, hush, say, tellWhy } from "./judge_status.js";

const WAIT_MS = 600;
const LOST = "Your time on this task ran out, and its place went to somebody else. Your work is kept, but the answer may be refused.";

export class Saver {
  /** @param desk {page, data, form, title, activity, show(answer)} */
  constructor(desk) {
    Object.assign(this, { desk, revision: desk.data.revision, base: desk.page.read(), id: `draft:${location.pathname}:${fresh()}` });
    this.go = new AbortController();
    if (desk.data.answer) say("saved on server", false);
  }

  /** Call on every edit. */
  async changed() {
    if (this.desk.sealed) return;
    say("saving…", false);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), WAIT_MS);
    await this.hold();
  }

  /** In this browser. */
  hold() {
    this.draft = { answer: this.desk.page.read(), active_ms: this.desk.activity.ms };
    return keep(this.entry()).catch(() => say("this browser keeps nothing – stay until it is saved"));
  }

  entry = () => ({
    id: this.id, kind: "draft", page: location.pathname, title: this.desk.title, revision: this.revision, base: this.base, ...this.draft,
  });

  /** To the server, until it has the newest. */
  save() {
    this.saving ??= this.#loop().finally(() => (this.saving = null));
    return this.saving;
  }

  async #loop() {
    const { signal } = this.go;
    while (!signal.aborted && !this.stale && this.draft !== this.saved) {
      const result = await insist(() => this.#send(signal), (why) => tellWhy(why, "kept here"), signal);
      if (!result || !(await this.#answered(this.sending, result))) return;
      if (this.draft !== this.saved) await pause(WAIT_MS, signal);
    }
  }

  #send(signal) {
    this.sending = this.draft;
    return post(this.desk.form.dataset.draft, { draft: this.sending, revision: this.revision }, signal);
  }

  /** Whether to go on. */
  async #answered(draft, { status, revision, at, held, ...rest }) {
    if (status === 409) return this.merge({ revision, ...rest });
    if (status !== 200) return this.#refused(status);
    Object.assign(this, { revision, base: draft.answer, saved: draft });
    if (this.draft === draft) {
      await forget(this.id);
      if (this.draft !== draft) await keep(this.entry()); // edited while it was forgotten
      else say(`saved on server ${clock(at)}`, false);
    }
    if (!held) alert(LOST);
    else hush();
    return true;
  }

  #refused(status) {
    say("not on the server – kept here");
    alert(`The server refused this work (${status}). It is kept here.`);
    return false;
  }

  /** Another tab or device has saved: bring both together. "ours" where nothing of theirs is in it, false for later. */
  async merge({ revision, draft }) {
    const theirs = draft?.answer;
    if (!theirs) return this.#answeredElsewhere();
    if (this.sending && same(theirs, this.sending.answer)) return this.#on(revision, theirs) && "ours"; // its answer was lost
    this.stale = true;
    say("newer work elsewhere – kept here");
    const together = await reconcile(this.base, () => this.desk.page.read(), theirs);
    if (!together) return alert("This task was worked on in another tab or on another device.", { "Compare the two": () => this.merge({ revision, draft }) });
    this.stale = false;
    this.desk.activity.ms += Math.max(0, (draft.active_ms ?? 0) - this.desk.data.activeMs);
    this.#on(revision, theirs);
    this.desk.show(together);
    say("brought together with the work of another tab");
    this.changed();
    return true;
  }

  #on(revision, base) {
    Object.assign(this, { revision, base });
    return true;
  }

  #answeredElsewhere() {
    this.stale = true;
    say("answered elsewhere – kept here");
    alert("This task was answered in another tab or on another device. What you did here is kept; load that answer to bring both together.", {
      "Load that answer": () => location.reload(),
    });
    return false;
  }

  /** No more drafts: the answer itself is sent, or the page is left. */
  async stop() {
    clearTimeout(this.timer);
    this.go.abort();
    await this.saving;
    this.go = new AbortController();
  }
}
