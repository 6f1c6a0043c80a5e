// Undo and redo over every kind of edit: a history of whole answers. Pure: no page.

import { same } from "./judge_merge.js";

const PAUSE_MS = 1000; // letters typed into one field without such a pause are undone together
const MOST = 500;

export class History {
  constructor(answer) {
    Object.assign(this, { now: answer, past: [], future: [], field: null, at: 0 });
  }

  /** Another answer stands on the page. */
  note(answer, at = Date.now()) {
    if (same(answer, this.now)) return;
    const field = typed(this.now, answer);
    const goesOn = field !== null && field === this.field && at - this.at < PAUSE_MS;
    if (!goesOn) this.past.push(this.now);
    if (this.past.length > MOST) this.past.shift();
    Object.assign(this, { now: answer, future: [], field, at });
  }

  undo = () => this.#travel(this.past, this.future);
  redo = () => this.#travel(this.future, this.past);

  /** The answer to show, or null where there is none. */
  #travel(from, to) {
    if (!from.length) return null;
    to.push(this.now);
    this.field = null;
    return (this.now = from.pop());
  }
}

const VERDICT = ["outcome", "ranking", "strength", "reason"];

/** Which parts of an answer differ: "verdict", "spans", … in the order in which they stand in it. */
export function parts(before, after) {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => !same(before[key], after[key]));
  return [...new Set(keys.map((key) => (VERDICT.includes(key) ? "verdict" : key)))];
}

/** The one field of words in which they differ; null where something else differs too. */
export function typed(before, after) {
  const found = differences(before, after, "");
  return found.length === 1 && found[0].words ? found[0].path : null;
}

function differences(a, b, path) {
  if (same(a, b)) return [];
  const both = [a, b].every((value) => value !== null && typeof value === "object");
  if (!both) return [{ path, words: [a ?? "", b ?? ""].every((value) => typeof value === "string") }];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].flatMap((key) => differences(a[key], b[key], `${path}/${key}`));
}
