// The next task, fetched while this one is judged and put in its place without a load.

import { announce } from "./judge_status.js";

const REFRESH = 10; // while many are left, their number is asked for once in so many tasks

/** The page as it came, with nothing said on it: each next task stands in a copy. null where an old answer is changed. */
export function blank(main) {
  const form = main.querySelector("#answer");
  if (form.dataset.mode !== "judge" || dataOf(main).revises) return null;
  const copy = main.cloneNode(true);
  copy.querySelector("#answer").reset(); // what the browser filled in
  copy.querySelector("#alert").hidden = true;
  copy.querySelector("#guidelines .alert")?.remove(); // who goes on has read that they changed
  return copy;
}

/** What a submit and a skip ask for: a lease, of the responses that wait if that can be, and how many are left. */
export function wishes() {
  const [done, left] = ["done", "left"].map((id) => document.getElementById(id)?.textContent ?? "");
  const ahead = JSON.parse(document.documentElement.dataset.ahead ?? "[]");
  return { lease: true, ahead, left: !left.startsWith("over") || done % REFRESH === 0 };
}

/** What the server would serve next, without taking it: kept until it is known whether that comes. */
export class Ahead {
  /** @param url of what lies ahead, asked without taking a slot  @param found the same, if it came with the lease */
  constructor(url, found) {
    delete document.documentElement.dataset.ahead;
    if (found) this.found = Promise.resolve(noted(found));
    else this.found = url ? fetched(url).catch(() => null) : Promise.resolve(null); // without it the next page is loaded whole
  }

  /** The page of what was leased, in a copy of the blank one; null if that lies not ahead or needs another page. */
  async of(shell, lease) {
    const found = await this.found;
    const same = (name) => JSON.stringify(found[name]) === JSON.stringify(lease[name]);
    if (!shell || !found || !lease.assignment || !same("task") || !same("shown_order")) return null;
    if (found.shell !== shell.querySelector("#answer").dataset.shell) return null; // other questions, guidelines or keys
    if (found.data.revision !== lease.revision) return null; // a draft of it was saved elsewhere since
    return written(shell.cloneNode(true), found, lease);
  }
}

async function fetched(url) {
  const response = await fetch(url);
  return response.status !== 200 || response.redirected ? null : noted(await response.json());
}

function noted(found) {
  document.documentElement.dataset.ahead = JSON.stringify(found.shown_order);
  return found;
}

const dataOf = (main) => JSON.parse(main.querySelector("#judge-data").textContent);

/** Markup that the server made of escaped text. */
const parsed = (html) => new DOMParser().parseFromString(html, "text/html").body.childNodes;

function written(main, { data, ask, texts }, { assignment, key, left, skipped }) {
  main.querySelector("#judge-data").textContent = JSON.stringify({ ...dataOf(main), ...data, key });
  main.querySelector(".ask").replaceWith(...parsed(ask));
  main.querySelectorAll(".response").forEach((column, i) => {
    const { id, steps } = data.responses[i];
    column.dataset.response = id;
    for (const view of ["rendered", "raw"]) column.querySelector(`[data-view="${view}"]`).replaceChildren(...parsed(texts[i][view]));
    column.querySelector(".step-list")?.toggleAttribute("hidden", !steps.length);
  });
  for (const element of main.querySelectorAll("[action], [data-draft], [data-heartbeat]")) lease(element, assignment);
  progress(main, left, skipped);
  return main;
}

/** Addresses of the blank page's assignment become those of this one. */
function lease(element, assignment) {
  for (const name of ["action", "data-draft", "data-heartbeat"]) {
    const url = element.getAttribute(name);
    if (url) element.setAttribute(name, url.replace(/\/judge\/\d+\//, `/judge/${assignment}/`));
  }
}

/** What stands above the task: one more is done and lies behind, unless it was skipped. */
function progress(main, left, skipped) {
  const [done, back] = ["done", "back"].map((id) => document.getElementById(id));
  main.querySelector("#done").textContent = +done.textContent + (skipped ? 0 : 1);
  main.querySelector("#left").textContent = left ?? document.getElementById("left").textContent;
  const behind = skipped ? back.getAttribute("href") : location.pathname;
  if (behind) main.querySelector("#back").setAttribute("href", behind);
  main.querySelector("#back").hidden = !behind;
}

/** Put it in place of the old one. Nothing of the old one stays: no value, no scroll, no focus. */
export function swap(main, url) {
  document.getElementById("main").replaceWith(main);
  history.pushState(null, "", url);
  scrollTo(0, 0);
  return main;
}

/** To the task, and say so; the line that is read aloud is new too, and has to be there before it is filled. */
export function arrive(main, early) {
  (main.querySelector("[data-focus]") ?? main.querySelector("#prompt"))?.focus({ preventScroll: true });
  const unused = early ? ` ${early} ${early === 1 ? "key" : "keys"} pressed before it was there did nothing.` : "";
  const done = main.querySelector(".progress-line")?.textContent.trim().replace(/\s+/g, " ") ?? "";
  setTimeout(() => announce(`Next task. ${done}.${unused}`), 100);
}
