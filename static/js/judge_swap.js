// The next task, fetched while this one is judged and put in its place without a load.

import { announce } from "./judge_status.js";

/** The responses of the page that waits: the server gives them, if it can. */
export const ahead = () => JSON.parse(document.documentElement.dataset.ahead ?? "[]");

/** What the server would serve next, without taking it: kept until it is known whether that comes. */
export class Ahead {
  /** @param html of the next task's page, if it came with the lease; else it is fetched from the url, without taking a slot */
  constructor(url, html) {
    delete document.documentElement.dataset.ahead;
    if (html) this.page = Promise.resolve(parse(html));
    else this.page = url ? fetched(url).catch(() => null) : Promise.resolve(null); // without it the next page is loaded whole
  }

  /** The page if it is the one that was leased, with the lease written into it; else null. */
  async of({ assignment, task, shown_order: order, key, revision }) {
    const main = await this.page;
    if (!main || !assignment || main.dataset.task !== task || main.dataset.order.replace(/ /g, "") !== JSON.stringify(order)) return null;
    const place = main.querySelector("#judge-data");
    const data = JSON.parse(place.textContent);
    if (data.revision !== revision) return null; // a draft of it was saved elsewhere since
    place.textContent = JSON.stringify({ ...data, key });
    for (const element of main.querySelectorAll("[action], [data-draft], [data-heartbeat]")) lease(element, assignment);
    return main;
  }
}

async function fetched(url) {
  const response = await fetch(url);
  return response.status !== 200 || response.redirected ? null : parse(await response.text());
}

function parse(html) {
  const main = new DOMParser().parseFromString(html, "text/html").querySelector("main");
  document.documentElement.dataset.ahead = main.dataset.order;
  return main;
}

/** Addresses of no assignment become those of this one. */
function lease(element, assignment) {
  for (const name of ["action", "data-draft", "data-heartbeat"]) {
    const url = element.getAttribute(name);
    if (url) element.setAttribute(name, url.replace(/\/judge\/0\//, `/judge/${assignment}/`));
  }
}

/** Put it in place of the old one. Nothing of the old one stays: no value, no scroll, no focus. */
export function swap(main, url) {
  document.getElementById("main").replaceWith(document.adoptNode(main));
  history.pushState(null, "", url);
  document.title = document.title.replace(/^Change an answer/, "Judge");
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
