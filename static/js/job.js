// A job, live: over a WebSocket, else by polling. Events are numbered: none is missed on a reconnect, none shown twice.

import { draw, thin } from "./job_curves.js";

const job = document.getElementById("job");
const log = document.getElementById("log");
const linkState = document.getElementById("link-state");
let points = JSON.parse(document.getElementById("points")?.textContent ?? "[]");
const POLL_MS = 1000;
const FAILURES_BEFORE_POLLING = 3;
let last = Number(job.dataset.last);
let ended = "ended" in job.dataset;
let failures = 0;

/** Take a payload in, from whichever way it came. */
function take(payload) {
  const fresh = payload.events.filter((event) => event.number > last);
  fresh.filter((event) => event.kind !== "metric").forEach(addLine);
  const metrics = fresh.filter((event) => event.kind === "metric");
  points = thin([...points, ...metrics]);
  last = Math.max(last, payload.last);
  window.htmx.swap("#status", payload.status_html, { swapStyle: "innerHTML" });
  if (metrics.length) draw(points);
  if (payload.ended && !ended) end();
}

function addLine(event) {
  const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
  const line = document.createElement("li");
  line.value = event.number;
  line.textContent = event.text;
  log.append(line);
  if (atEnd) log.scrollTop = log.scrollHeight;
}

/** The job ended: fetch what the page offers now (retry, the version). */
function end() {
  ended = true;
  linkState.textContent = "";
  window.htmx.ajax("GET", location.href, { target: "#actions", select: "#actions", swap: "outerHTML" });
}

function listen() {
  const url = new URL(`${job.dataset.socket}?after=${last}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new WebSocket(url);
  socket.onopen = () => say("live");
  socket.onmessage = (message) => {
    failures = 0;
    take(JSON.parse(message.data));
  };
  socket.onclose = () => {
    if (ended) return;
    failures += 1;
    if (failures >= FAILURES_BEFORE_POLLING) return poll();
    say("reconnecting");
    setTimeout(listen, 250 * 2 ** failures);
  };
}

async function poll() {
  say("polling");
  try {
    const answer = await fetch(`${job.dataset.events}?after=${last}`);
    if (!answer.ok) return say(`The server refused (${answer.status}). Reload the page.`);
    take(await answer.json());
  } catch {
    say("The server cannot be reached; trying again");
  }
  if (!ended) setTimeout(poll, POLL_MS);
}

function say(text) {
  job.dataset.link = text;
  linkState.textContent = { live: "Live.", polling: "Asking every second.", reconnecting: "Reconnecting…" }[text] ?? text;
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(points));
log.scrollTop = log.scrollHeight;
// Deferred scripts (htmx, plotly) stand before this module, so they have run.
draw(points);
if (!ended) listen();
