// Talking to the server: one request, and one that is repeated until the server has answered.

const TIMEOUT_MS = 20000;

/** The server could not be asked; trying again may help. */
export class Unreachable extends Error {}

// Read anew for each request: signing in again, in another tab perhaps, changes it.
const csrf = () => document.cookie.match(/(?:^|; )(?:__Host-)?csrftoken=([^;]+)/)?.[1] ?? document.body.dataset.csrf;

/** POST as JSON. {status, …what the server said}; 401 when it asks to sign in. Throws Unreachable. */
export async function post(url, body, stop = new AbortController().signal) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrf() };
  const signal = AbortSignal.any([stop, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body), signal });
    if (response.status >= 500 || response.status === 429) throw new Unreachable("The server has a problem");
    if (response.redirected || response.status === 403) return { status: 401 }; // 403: its token went with the session
    const json = response.headers.get("Content-Type")?.startsWith("application/json");
    return { ...(json ? await response.json() : {}), status: response.status };
  } catch (error) {
    throw error instanceof Unreachable ? error : new Unreachable(navigator.onLine ? "No answer from the server" : "Offline");
  }
}

/** Until so much time has passed, or the network or the rater came back, or it was stopped. */
export function pause(ms, signal) {
  return new Promise((wake) => {
    const ready = new AbortController();
    const end = () => (clearTimeout(timer), ready.abort(), wake());
    const timer = setTimeout(end, ms);
    for (const name of ["online", "focus"]) addEventListener(name, end, { signal: ready.signal });
    signal?.addEventListener("abort", end, { signal: ready.signal });
  });
}

/** What attempt() gives once the server has answered; null when stopped. tell(why) is called before each wait. */
export async function insist(attempt, tell, signal) {
  for (let wait = 1000; !signal.aborted; wait = Math.min(wait * 2, 15000)) {
    const result = await attempt().catch((error) => error);
    if (!(result instanceof Error) && result.status !== 401) return result;
    if (result instanceof Error && !(result instanceof Unreachable)) throw result;
    tell(result.status === 401 ? "signed out" : result.message);
    await pause(wait, signal);
  }
  return null;
}
