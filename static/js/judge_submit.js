// Submitting: the answer goes into the outbox with its key and its URL, then to the server until that has answered.

import { forget, fresh, keep } from "./judge_outbox.js";
import { insist, post } from "./judge_post.js";
import { alert, announce, hush, say, tellWhy } from "./judge_status.js";
import { wishes } from "./judge_swap.js";

/** What the server said, or null when the rater stopped it. */
export async function submitOnce({ page, data, form, title, activity, saver }) {
  const body = {
    answer: page.read(), key: data.key, revises: data.revises, active_ms: activity.ms, revision: saver.revision,
    ...wishes(),
  };
  const id = `submit:${data.key}`;
  const entry = { id, kind: "submit", page: location.pathname, title, url: form.action, body, answer: body.answer, base: saver.base, active_ms: body.active_ms };
  await keep(entry).then(() => forget(saver.id), () => say("this browser keeps nothing – stay until it is sent"));
  const stop = new AbortController();
  const choices = { "Stop, and go on here": () => stop.abort() };
  say("submitting…");
  const told = (why) => {
    if (why !== "signed out") alert("The answer is kept here and sent as soon as the server is back.", choices);
    tellWhy(why, "kept here, submits when the server is back", choices);
  };
  const result = await insist(() => post(form.action, body, stop.signal), told, stop.signal);
  hush();
  if (!result) data.key = fresh(); // the first may have arrived: another answer needs another key
  if (result?.status !== 200) await saver.hold();
  await forget(id);
  return result;
}

/** Show the task to the reviewers, and go on with it. */
export async function flag(form) {
  const said = await post(form.action, { note: new FormData(form).get("note") }).catch((error) => ({ error: `${error.message}: not flagged yet.` }));
  if (!said.flagged) return alert(said.error ?? Object.values(said.errors ?? {}).flat().join(" ") ?? "Not flagged.");
  form.closest("dialog").close();
  form.reset();
  announce("Flagged: a reviewer will look at it.");
}

/** Say what is wrong at its field, the rest above the task. */
export function showErrors(form, { status, errors = {}, error }) {
  for (const place of form.querySelectorAll("[data-error]")) place.textContent = "";
  const [first] = Object.values(errors);
  say(first ? `not submitted: ${first[0]}` : "not submitted – kept here");
  const homeless = Object.entries(errors).filter(([field, texts]) => !place(form, field, texts.join(" ")));
  const text = [error, ...homeless.flatMap(([, texts]) => texts)].filter(Boolean).join(" ");
  if (text || status !== 422) alert(text || `The server refused this answer (${status}). It is kept here.`);
  form.querySelector("[data-error]:not(:empty)")?.scrollIntoView({ block: "nearest" });
}

function place(form, field, text) {
  const spot = form.querySelector(`[data-error="${CSS.escape(field)}"]`);
  if (spot) spot.textContent = text;
  return Boolean(spot);
}
