// The judging page as one answer: build() makes its parts from the markup and the data, read() and restore() carry all
// of what is said on it, acts are what keys can call. Saving, history and keys are others' work (judge.js).

import { Column } from "./judge_column.js";
import { splitter, together } from "./judge_panes.js";
import { Turns } from "./judge_turns.js";
import { Verdict } from "./judge_verdict.js";

const FIELDS = ["ratings", "rationales", "safety", "steps", "corrections"]; // by response; empty is not said
const ACTS = { mark: "mark", missing: "addMissing", rate: "rate", text: "enter" };
const isSaid = (value) => value !== undefined && (Array.isArray(value) || Object.keys(value).length > 0);

/**
 * @param main the element around the page's markup  @param data what judge-data says
 * @param changed called after every edit by a person  @param history {undo, redo}: what Ctrl+Z in a text calls
 * @returns {read, restore, acts, destroy, say, columns, verdict, …}
 */
export const build = (main, data, changed = () => {}, history = null) => new Page(main, data, changed, history);

class Page {
  constructor(main, data, changed, history) {
    const { signal } = (this.listening = new AbortController());
    Object.assign(this, { main, data, form: main.querySelector("#answer"), signal });
    const reading = data.mode === "example"; // what is only read is put back
    const edited = () => (reading ? this.restore(data.answer) : changed());
    const tools = { changed: edited, say: this.say, signal, history, took: (column) => this.take(column) };
    this.columns = [...main.querySelectorAll(".response")].map((element, i) => new Column(element, data.responses[i], data, this.#tools(tools, i)));
    this.verdict = new Verdict(this.form, this.columns, tools);
    this.turns = new Turns(main.querySelector("#prompt"), edited, signal, this.say);
    this.acts = this.#acts();
    this.#listen();
    if (data.answer) this.restore(data.answer);
    this.take(this.columns[0]);
    if (reading) main.querySelectorAll("#answer :is(input, select, textarea, button)").forEach((field) => (field.disabled = true));
  }

  /** Each edit says in which response it was. */
  #tools(tools, i) {
    return { ...tools, changed: () => (this.take(this.columns[i]), tools.changed()) };
  }

  /** What is read aloud. */
  say = (text) => {
    const place = this.main.querySelector("#said");
    if (place) place.textContent = text;
  };

  /** The response in hand; where there are more than two, keys work on it. */
  take(column) {
    this.last = column;
    for (const each of this.columns) each.element.classList.toggle("current", each === column);
    if (this.columns.length > 3) column?.element.scrollIntoView({ block: "nearest" });
  }

  read() {
    const values = this.columns.map((column) => [column.id, column.value()]);
    const spread = (name) => values.flatMap(([, value]) => value[name]);
    const kept = (name) => (name === "safety" ? (value) => value !== undefined : isSaid);
    const byId = (name) => Object.fromEntries(values.map(([id, value]) => [id, value[name]]).filter(([, value]) => kept(name)(value)));
    const turns = this.turns.read();
    const marks = { spans: spread("spans"), omissions: spread("omissions"), checked: spread("checked") };
    const fields = Object.fromEntries(FIELDS.map((name) => [name, byId(name)]));
    const said = [turns, ...Object.values(marks), ...Object.values(fields)].some((value) => Object.keys(value).length > 0);
    return { ...this.verdict.read(said), ...marks, ...fields, turns, ...this.data.fixed };
  }

  restore(answer) {
    this.columns.forEach((column) => column.restore(answer));
    this.verdict.restore(answer);
    this.turns.restore(answer.turns);
  }

  #acts() {
    const pair = this.columns.length === 2;
    const hands = { left: () => (pair ? this.columns[0] : this.last), right: () => (pair ? this.columns[1] : null) };
    const acts = {};
    for (const [hand, column] of Object.entries(hands)) {
      for (const [name, method] of Object.entries(ACTS)) acts[`${name}_${hand}`] = () => column()?.[method]();
      acts[`checked_${hand}`] = () => column() && this.say(`${pair ? `${hand === "left" ? "Left" : "Right"}. ` : ""}${column().toggleChecked()}`);
      acts[`safety_${hand}`] = () => column()?.safety?.focus();
      acts[`write_${hand}`] = () => column()?.rewrite?.open();
    }
    for (let digit = 0; digit < 10; digit += 1) acts[`choose_${digit}`] = () => this.#choose(digit);
    const focus = (name) => () => this.main.querySelector(name)?.focus();
    return {
      ...acts, raw: () => this.toggleRaw(), sync: () => (localStorage["touchstone:together"] = this.#toggle("sync", "Scrolling together.", "Scrolling apart.")),
      steps: () => this.#goToSteps(), principles: () => this.verdict.focusPrinciples(),
      prompt: focus("#prompt"), context: focus("#context"), rationale: focus('[name="rationale"]'), demonstration: focus('[name="demonstration"]'),
      guidelines: () => this.open("guidelines"), keys: () => this.open("keys"),
    };
  }

  /** Says what the digit chose, or gives undefined where it stands for nothing. */
  #choose(digit) {
    const chosen = this.verdict.choose(digit);
    if (!chosen) return undefined;
    const said = chosen.endsWith("?") ? chosen : `${chosen}.`;
    this.say(said);
    return said;
  }

  #goToSteps() {
    const split = this.columns.filter(({ steps }) => steps);
    const open = [this.last, ...this.columns].find((column) => column?.steps && !column.steps.done) ?? split[0];
    if (open) open.steps.focus();
    else this.turns.focus();
  }

  open(name) {
    const dialog = document.getElementById(name);
    if (dialog && !dialog.open) dialog.showModal();
  }

  #toggle(name, on, off) {
    const button = this.main.querySelector(`[data-do="${name}"]`);
    const pressed = button && button.getAttribute("aria-pressed") !== "true";
    button?.setAttribute("aria-pressed", pressed);
    this.say(pressed ? on : off);
    return pressed;
  }

  toggleRaw() {
    const raw = this.#toggle("raw", "Raw text.", "Rendered text.");
    this.columns.forEach((column) => column.show(raw ? "raw" : "rendered"));
  }

  #listen() {
    const { main, signal } = this;
    const on = (name, type, act) => main.querySelectorAll(name).forEach((element) => element.addEventListener(type, () => act(element), { signal }));
    on('[data-do="raw"]', "click", () => this.toggleRaw());
    on('[data-do="sync"]', "click", () => this.acts.sync());
    main.querySelector('[data-do="sync"]')?.setAttribute("aria-pressed", localStorage["touchstone:together"] === "true"); // as it was
    on("[data-open]", "click", (button) => this.open(button.dataset.open));
    on("[data-close]", "click", (button) => button.closest("dialog").close());
    for (const column of this.columns) for (const type of ["focusin", "pointerdown"]) column.element.addEventListener(type, () => this.last !== column && this.take(column), { signal });
    main.querySelectorAll("[data-splitter]").forEach((bar) => splitter(bar, signal));
    const synced = () => main.querySelector('[data-do="sync"]')?.getAttribute("aria-pressed") === "true";
    together(this.columns.map(({ element }) => element.querySelector(".body")), synced, signal);
    const prompt = main.querySelector("#prompt");
    prompt.scrollTop = prompt.querySelector(".turn:last-child").offsetTop - 8; // the turn that is answered
  }

  destroy() {
    this.listening.abort();
    this.columns.forEach((column) => column.destroy());
  }
}
