// A button with data-copy="ID" copies the value of that field and says so; with data-copy="", the address of the page.

import { toast } from "./app.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  field?.select();
  try {
    await navigator.clipboard.writeText(field ? field.value : location.href);
    toast("Copied.");
  } catch {
    const by = field ? "press Ctrl+C, the text is selected" : "take it from the address bar";
    toast(`The browser does not let us copy: ${by}.`);
  }
});
