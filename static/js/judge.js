// The judging page: one desk at a time, its keys, and the way to the next.

import { Desk } from "./judge_desk.js";
import { bindKeys, letterSwitch } from "./judge_keys.js";
import { flush } from "./judge_outbox.js";
import { post } from "./judge_post.js";
import { alert, say, signIn } from "./judge_status.js";
import { Ahead, arrive, blank, swap } from "./judge_swap.js";

const shell = blank(document.getElementById("main"));
let desk, ahead, skipped;

const click = (id) => document.getElementById(id)?.click();

/** What can be done here and now, by name. */
const acts = () => ({
  ...desk.page.acts,
  submit: () => void desk.submit(), undo: desk.undo, redo: desk.redo,
  skip: () => (desk.page.open("skip"), click("onward")), // only one of them is on the page
  flag: () => desk.page.open("flag"),
  unskip: () => void unskip(),
  back: () => click("back"), mine: () => click("mine"),
});

async function settle(main, found) {
  desk = new Desk(main, go);
  letterSwitch(main);
  await desk.recover();
  ahead = new Ahead(desk.saves && desk.data.mode === "judge" ? new URL("../ahead/", location) : null, found);
  document.documentElement.dataset.ready = "yes";
}

async function go(result) {
  if (result.feedback) return location.assign(result.feedback);
  skipped = result.skipped;
  const main = await ahead.of(shell, result);
  if (!main) return location.assign(result.next);
  desk.destroy();
  swap(main, result.next);
  await settle(main, result.ahead);
  arrive(main, result.early);
}

async function unskip() {
  if (!skipped) return "Nothing was skipped here.";
  const result = await post(skipped.replace(/skip\/$/, "unskip/"), {}).catch(() => ({ error: "The server cannot be reached." }));
  if (result.next) location.assign(result.next);
  else alert(result.error ?? `The server refused (${result.status}).`);
}

addEventListener("popstate", () => location.reload());
addEventListener("pageshow", (event) => event.persisted && location.reload()); // its key and revision may be used up

const { sent, refused, waiting } = await flush();
const here = sent.find(({ page }) => page === location.pathname);
if (here) location.reload(); // what stands here was answered just now
await settle(document.getElementById("main"));
bindKeys(() => desk, acts);
if (sent.length && !here) say(`${sent.length} kept ${sent.length === 1 ? "answer is" : "answers are"} now on the server`);
const elsewhere = refused.filter(({ page }) => page !== location.pathname);
if (elsewhere.length) alert(`An answer kept here was not taken: ${elsewhere[0].refused} It is still kept.`, { "Open it": () => location.assign(elsewhere[0].page) });
if (waiting) alert("Answers are kept here that the server has not taken yet. They are sent by themselves.", { "Sign in": signIn });
