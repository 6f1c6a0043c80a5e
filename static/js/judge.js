// The judging page: joins the columns, the verdict, the saver and the keys. Data comes as JSON from the server.

import { Column } from "./judge_column.js";
import { bindKeys } from "./judge_keys.js";
import { Saver } from "./judge_save.js";
import { Verdict } from "./judge_verdict.js";

const data = JSON.parse(document.getElementById("judge-data").textContent);
const form = document.getElementById("answer");
const saver = new Saver(form, data, read);
const answer = saver.restored ?? {};

const columns = [...form.querySelectorAll(".response")].map((element, i) => {
  const changed = () => {
    page.last = columns[i];
    saver.changed();
  };
  return new Column(element, data.responses[i], data, answer, changed);
});
const verdict = new Verdict(form, columns.map((column) => column.id), answer);
const say = (text) => (document.getElementById("said").textContent = text);
const page = { columns, verdict, last: columns[0], submit, toggleRaw, say };

function read() {
  const spread = (name) => columns.flatMap((column) => column.value()[name]);
  const byId = (name) => Object.fromEntries(columns.map((c) => [c.id, c.value()[name]]).filter(([, v]) => Object.keys(v).length));
  return {
    ...verdict.value(), spans: spread("spans"), omissions: spread("omissions"), checked: spread("checked"),
    ratings: byId("ratings"), safety: byId("safety"), ...data.fixed,
  };
}

async function submit() {
  const errors = await saver.submit();
  form.querySelectorAll("[data-error]").forEach((place) => (place.textContent = ""));
  for (const [field, texts] of Object.entries(errors)) {
    const place = form.querySelector(`[data-error="${field}"]`);
    if (place) place.textContent = texts.join(" ");
    else saver.alert(texts.join(" "));
  }
  form.querySelector("[data-error]:not(:empty)")?.scrollIntoView({ block: "nearest" });
}

function toggleRaw() {
  const raw = document.querySelector('[data-do="raw"]');
  const on = raw.getAttribute("aria-pressed") !== "true";
  raw.setAttribute("aria-pressed", on);
  columns.forEach((column) => column.show(on ? "raw" : "rendered"));
  say(on ? "Raw text." : "Rendered text.");
}

form.addEventListener("input", (event) => event.target.closest("footer, header, .verdict") && saver.changed());
form.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
document.querySelector('[data-do="raw"]').addEventListener("click", toggleRaw);
document.querySelectorAll("[data-open]").forEach((button) => {
  button.addEventListener("click", () => document.getElementById(button.dataset.open).showModal());
});
document.querySelectorAll("[data-close]").forEach((button) => {
  button.addEventListener("click", () => button.closest("dialog").close());
});
const prompt = document.getElementById("prompt");
prompt.scrollTop = prompt.querySelector(".turn:last-child").offsetTop - 8; // the turn that is answered
bindKeys(page);
document.documentElement.dataset.ready = "yes";
