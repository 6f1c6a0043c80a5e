// Tells the token under the pointer or the keyboard: arrows walk through the tokens of the response in focus.

const told = () => document.getElementById("told");

function tell(token) {
  document.querySelectorAll("[data-value].here").forEach((other) => other.classList.remove("here"));
  if (!token || !told()) return;
  token.classList.add("here");
  told().textContent = `${token.dataset.side} “${token.dataset.token}” ${token.dataset.value}`;
}

document.addEventListener("pointerover", (event) => {
  const token = event.target.closest?.("[data-value]");
  if (token) tell(token);
});

const STEPS = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 10, ArrowUp: -10 };

document.addEventListener("keydown", (event) => {
  const box = event.target.closest?.(".heat[tabindex]");
  if (!box || !(event.key in STEPS) || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const tokens = [...box.querySelectorAll("[data-value]")];
  const at = tokens.findIndex((token) => token.classList.contains("here"));
  const next = tokens[Math.min(tokens.length - 1, Math.max(0, at + STEPS[event.key]))];
  tell(next);
  next?.scrollIntoView({ block: "nearest" });
});

document.addEventListener("change", (event) => event.target.closest("form.pick")?.requestSubmit());

const list = document.querySelector(".pairs");
const current = list?.querySelector("[aria-current]");
if (current) list.scrollTop = current.offsetTop - list.offsetTop - list.clientHeight / 3;
