// The outbox: drafts and submits that the server does not have yet. They outlive a killed tab.
//
//   {id, kind: "draft" | "submit", user, tab, page, title, at, answer, base, active_ms, …}
//   a draft:  revision, the one it was made on, and base, the answer of that revision
//   a submit: url and body, sent as they are to this URL alone; the key in the body makes it count once
//
// Each tab holds a lock on its name. What belongs to a tab that is gone may be taken up, by one at a time.

import { post } from "./judge_post.js";
import { store } from "./judge_store.js";

const user = document.body.dataset.user ?? "";
const locks = navigator.locks; // none on a plain http address: then the server's keys alone keep things apart
const GONE_MS = 500; // a tab that was closed just now lets go within this time
const lockOf = (name) => `touchstone:tab:${name}`;

/** 32 hexadecimal digits nobody had before. */
export const fresh = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

export const tab = fresh();
locks?.request(lockOf(tab), () => new Promise(() => {}));

/** Do it while holding the place of a tab that is gone; nothing if that tab lives on. */
async function instead(owner, act) {
  if (!locks) return act();
  try {
    return await locks.request(lockOf(owner), { signal: AbortSignal.timeout(GONE_MS) }, act);
  } catch (error) {
    if (error.name !== "AbortError" && error.name !== "TimeoutError") throw error;
  }
}

async function mine(kind) {
  const all = await (await store).all();
  return all.filter((entry) => entry.kind === kind && entry.user === user && entry.tab !== tab).sort((a, b) => a.at - b.at);
}

export const keep = async (entry) => (await store).put({ user, tab, at: Date.now(), ...entry });
export const forget = async (id) => (await store).drop(id);

/** Drafts of this page that tabs now gone have left; they are ours from here on. */
export async function leftBehind(page) {
  const found = [];
  for (const entry of await mine("draft"))
    if (entry.page === page)
      await instead(entry.tab, async () => {
        if (!(await (await store).get(entry.id))) return; // another tab was first
        found.push(entry);
        await keep({ ...entry, tab });
      });
  return found;
}

/** Send what tabs now gone wanted to submit: {sent, refused, waiting}. Nothing is sent twice, nothing elsewhere. */
export async function flush() {
  const said = { sent: [], refused: [], waiting: 0 };
  for (const entry of await mine("submit")) await instead(entry.tab, () => send(entry, said));
  return said;
}

async function send(entry, said) {
  if (!(await (await store).get(entry.id))) return;
  const { status, ...rest } = await post(entry.url, entry.body).catch(() => ({ status: 0 }));
  if (status === 200) {
    await forget(entry.id);
    said.sent.push(entry);
  } else if ([400, 409, 422].includes(status)) {
    said.refused.push(await asDraft(entry, rest));
  } else said.waiting += 1; // offline, signed out, or somebody else is signed in: later
}

/** Drafts that tabs now gone have left, of any page. */
export const unsent = async () => {
  const found = [];
  for (const entry of await mine("draft")) await instead(entry.tab, () => found.push(entry));
  return found;
};

/** A submit that was refused is work in hand again. */
async function asDraft({ body, url, ...entry }, { error, errors }) {
  const why = error ?? Object.values(errors ?? {}).flat().join(" ");
  const draft = { ...entry, id: `draft:${entry.page}:${fresh()}`, kind: "draft", revision: -1, refused: why || "The server refused it." };
  await keep(draft);
  await forget(entry.id);
  return draft;
}
