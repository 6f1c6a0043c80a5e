// On any other page: sends what a judging page, now gone, had not brought to the server, and says so.

import { toast } from "./app.js";
import { flush, unsent } from "./judge_outbox.js";
import { pause } from "./judge_post.js";

const EVERY_MS = 30000;

function tell({ page, title, refused }) {
  const link = Object.assign(document.createElement("a"), { href: page, textContent: title || "Open it" });
  toast(refused ? `An answer was not taken: ${refused} It is kept here: ` : "Work kept in this browser is not on the server yet: ", "warning", link);
}

for (let known = new Set(); ; ) {
  const { sent, refused, waiting } = await flush();
  if (sent.length) toast(`${sent.length} kept ${sent.length === 1 ? "answer is" : "answers are"} now on the server.`);
  for (const entry of [...refused, ...(await unsent())]) {
    if (known.has(entry.id)) continue;
    known.add(entry.id);
    tell(entry);
  }
  if (!waiting) break;
  await pause(EVERY_MS);
}
