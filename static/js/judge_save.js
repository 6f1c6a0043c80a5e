// Saves the draft by revision, submits once by key, and says at all times whether the server has the work.

import { Activity } from "./judge_activity.js";

const pause = (ms) =>
  new Promise((wake) => {
    const timer = setTimeout(wake, ms);
    addEventListener("online", () => (clearTimeout(timer), wake()), { once: true });
  });
const csrf = () => document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? document.body.dataset.csrf; // new after signing in elsewhere
const clock = (when) => new Date(when).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });

export class Saver {
  /** @param read () => the whole answer as it stands on the page */
  constructor(form, data, read) {
    Object.assign(this, { form, data, read, revision: data.revision, activity: new Activity(data.activeMs) });
    this.store = `touchstone:draft:${form.action}`;
    this.restored = data.answer;
    this.#takeLocal();
    setInterval(() => this.activity.within(120000) && this.#beat(), 60000);
    if (data.answer) this.say("saved on server", false);
  }

  /** Work that did not reach the server before the page was left wins, unless the server has newer. */
  #takeLocal() {
    const local = JSON.parse(localStorage.getItem(this.store) ?? "null");
    if (!local) return;
    if (local.revision !== this.revision) return localStorage.removeItem(this.store);
    this.restored = local.draft.answer;
    this.activity.ms = local.draft.active_ms;
    queueMicrotask(() => this.changed());
  }

  /** Shown always; read aloud unless it is what happens at every key. */
  say(text, aloud = true) {
    document.getElementById("state").textContent = text;
    if (aloud) document.getElementById("said").textContent = text;
  }

  /** A line above the task that stays, with buttons if there is a choice to make. */
  alert(text, choices = {}) {
    const box = document.getElementById("alert");
    box.replaceChildren(text, ...Object.entries(choices).map(([label, act]) => {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "small", textContent: label });
      button.addEventListener("click", () => ((box.hidden = true), act()));
      return button;
    }));
    box.hidden = false;
  }

  async #post(url, body) {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": csrf() };
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
    if (response.status >= 500) throw new TypeError(`server error ${response.status}`); // as good as unreachable: try again
    const json = response.headers.get("Content-Type")?.startsWith("application/json");
    if (!json || response.redirected) return { status: response.redirected ? 401 : response.status };
    return { status: response.status, ...(await response.json()) };
  }

  /** Call on every edit: kept here at once, on the server within a second. */
  changed() {
    if (this.submitting) return;
    this.draft = { answer: this.read(), active_ms: this.activity.ms };
    localStorage.setItem(this.store, JSON.stringify({ draft: this.draft, revision: this.revision }));
    this.say("saving…", false);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#save(), 600);
  }

  async #save() {
    if (this.saving || this.stale || this.submitting) return;
    this.saving = true;
    const draft = this.draft;
    try {
      this.#saved(draft, await this.#post(this.form.dataset.draft, { draft, revision: this.revision }));
    } catch {
      this.say("offline – kept here");
      pause(4000).then(() => this.#save());
    }
    this.saving = false;
    if (this.draft !== draft && !this.stale) this.#save();
  }

  #saved(draft, { status, revision, at, held }) {
    if (this.submitting) return;
    if (status === 409) return this.#conflict(revision);
    if (status !== 200) return this.#refused(status);
    this.revision = revision;
    if (draft === this.draft) localStorage.removeItem(this.store);
    this.say(`saved on server ${clock(at)}`, false);
    if (!held) this.#lost();
  }

  #conflict(revision) {
    this.stale = true;
    this.say("not saved: newer work elsewhere");
    const load = () => (localStorage.removeItem(this.store), location.reload());
    const keep = () => ((this.stale = false), (this.revision = revision), this.changed());
    this.alert("This task was worked on in another tab or on another device. ", { "Load the newer work": load, "Keep what is here": keep });
  }

  #refused(status) {
    this.say("not on the server – kept here");
    if (status !== 401 && status !== 403) return this.alert(`The server refused this work (${status}). It is kept here.`);
    this.alert("You are signed out. Sign in again in another tab, then go on here: your work is kept.", { "Sign in": () => open(location.href) });
  }

  #lost = () => this.alert("Your time on this task ran out, and its place went to somebody else. Your work is kept, but the answer may be refused.");

  async #beat() {
    const { status, held } = await this.#post(this.form.dataset.heartbeat, {}).catch(() => ({}));
    if (status === 200 && !held) this.#lost();
  }

  /** Submit until the server has answered. Leaves the page, or gives back {field: [texts]} to show. */
  async submit() {
    if (this.submitting) return {};
    this.submitting = true;
    clearTimeout(this.timer);
    const body = { answer: this.read(), key: this.data.key, revises: this.data.revises, active_ms: this.activity.ms };
    localStorage.setItem(this.store, JSON.stringify({ draft: { answer: body.answer, active_ms: body.active_ms }, revision: this.revision }));
    const focused = document.activeElement;
    this.form.inert = true; // what is sent under this key must stay what is seen
    const result = await this.#insist(body);
    if (result.status === 200) {
      localStorage.removeItem(this.store);
      location.assign(result.next);
      return {};
    }
    this.submitting = this.form.inert = false;
    focused.focus();
    if (result.status === 409) this.alert(result.error);
    else if (result.status !== 422) this.#refused(result.status);
    const [wrong] = Object.values(result.errors ?? {});
    this.say(wrong ? `not submitted: ${wrong[0]}` : "not submitted – kept here");
    return result.errors ?? {};
  }

  async #insist(body) {
    for (let wait = 1000; ; wait = Math.min(wait * 2, 15000)) {
      this.say("submitting…");
      try {
        return await this.#post(this.form.action, body);
      } catch {
        this.say("offline – kept here, submits when the server is back");
        await pause(wait);
      }
    }
  }
}
