// What the page says about the work: a line that always stands there, one that is read aloud, one that asks to act.

const at = (id) => document.getElementById(id);

/** Read aloud, and nowhere to be seen. */
export const announce = (text) => at("said") && (at("said").textContent = text);

/** Whether the server has the work; read aloud unless it is what happens at every key. */
export function say(text, aloud = true) {
  if (at("state")) at("state").textContent = text;
  if (aloud) announce(text);
}

export const clock = (when) => new Date(when).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });

/** A line above the task that stays until it is answered or hushed; choices: {label: what to do}. */
export function alert(text, choices = {}) {
  const box = at("alert");
  const buttons = Object.entries(choices).map(([label, act]) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "small", textContent: label });
    button.addEventListener("click", () => ((box.hidden = true), act()));
    return button;
  });
  box.replaceChildren(text, " ", ...buttons);
  box.hidden = false;
}

export function hush() {
  const box = at("alert");
  if (box) box.hidden = true;
}

export const signIn = () => open(`/login/?next=${encodeURIComponent("/")}`);

/** Why the server could not be asked, and what happens now. */
export function tellWhy(why, kept, choices = {}) {
  if (why === "signed out") {
    say(`signed out – ${kept}`);
    alert("You are signed out, or may not judge here any more. Sign in again in another tab, then this goes on by itself: your work is kept.", { "Sign in": signIn, ...choices });
  } else say(`${why.toLowerCase()} – ${kept}`);
}
