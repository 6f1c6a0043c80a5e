// A button with data-copy="ID" copies the value of that field and says so; with data-copy="", the address of the page
// with all choices: those of its data-link="?…" that the address bar leaves out stand in it as well.

import { toast } from "./app.js";

function whole(chosen) {
  const address = new URL(location.href);
  for (const [name, value] of new URLSearchParams(chosen)) if (!address.searchParams.get(name)) address.searchParams.set(name, value);
  return address.href;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  field?.select();
  try {
    await navigator.clipboard.writeText(field ? field.value : whole(button.dataset.link));
    toast("Copied.");
  } catch {
    const by = field ? "press Ctrl+C, the text is selected" : "take it from the address bar";
    toast(`The browser does not let us copy: ${by}.`);
  }
});
