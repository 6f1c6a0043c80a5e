// Where people choose their keys: press the key in its field; one that is taken is told at once.

import { keyName, mayBe } from "./keynames.js";

const form = document.getElementById("my-keys");
const fields = [...form.querySelectorAll("input[data-default]")];
const said = document.getElementById("key-said");
const words = (field) => field.labels[0].textContent;

function check() {
  for (const field of fields) {
    const other = fields.find((each) => each !== field && each.value === field.value);
    const text = other ? `${field.value} is also “${words(other)}”.` : "";
    document.getElementById(`wrong-${field.name}`).textContent = text;
    if (text) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
}

form.addEventListener("keydown", (event) => {
  const field = event.target;
  if (!fields.includes(field) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (["Tab", "Escape", "Shift"].includes(event.key)) return;
  event.preventDefault();
  const name = ["Backspace", "Delete"].includes(event.key) ? field.dataset.default : keyName(event);
  if (!mayBe(name)) return (said.textContent = `${name} cannot be chosen.`);
  field.value = name;
  check();
  const wrong = document.getElementById(`wrong-${field.name}`).textContent;
  said.textContent = `${words(field)}: ${name}. ${wrong}`;
});
