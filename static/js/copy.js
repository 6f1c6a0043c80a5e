// A button with data-copy="ID" copies the value of that field and says so.

import { toast } from "./app.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    toast("Copied.");
  } catch {
    toast("The browser does not let us copy: press Ctrl+C, the text is selected.");
  }
});
