// One key for everything. A small letter works on the left response, a capital on the right.

const open = (id) => document.getElementById(id)?.showModal();
const focus = (element) => element?.focus();
const click = (id) => document.getElementById(id)?.click();

export function bindKeys(page) {
  const letters = document.getElementById("letters");
  letters.checked = localStorage.getItem("touchstone:letters") !== "off";
  letters.addEventListener("change", () => localStorage.setItem("touchstone:letters", letters.checked ? "on" : "off"));
  const [left, right] = page.columns;

  const keys = {
    s: () => left.mark(), S: () => right?.mark(),
    o: () => left.addMissing(), O: () => right?.addMissing(),
    n: () => page.say(`Left. ${left.toggleChecked()}`), N: () => right && page.say(`Right. ${right.toggleChecked()}`),
    r: () => left.rate(), R: () => right?.rate(),
    f: () => left.enter(), F: () => right?.enter(),
    p: () => focus(document.getElementById("prompt")),
    c: () => focus(document.getElementById("context")),
    e: () => focus(document.querySelector('[name="rationale"]')),
    u: () => page.last.editor.undo(), U: () => page.last.editor.redo(),
    v: page.toggleRaw,
    g: () => open("guidelines"),
    k: () => (open("skip"), click("onward")), // only one of them is on the page
    b: () => click("back"),
    "?": () => open("keys"),
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") return act(event, page.submit);
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && event.target.matches("input")) return event.preventDefault(); // not a submit
    const field = event.target.closest("input:not([type=radio], [type=checkbox]), textarea, select");
    if (event.key === "Escape") return leave(event.target);
    if (field) return;
    if (!letters.checked) return;
    if (/^\d$/.test(event.key)) return digit(event);
    if (Object.hasOwn(keys, event.key)) act(event, keys[event.key]);
  });

  function digit(event) {
    const line = event.target.closest(".rating");
    const done = line ? rate(line, event.key) : page.verdict.choose(+event.key - 1);
    if (!done) return;
    event.preventDefault();
    if (!line) page.say(`${done}.`);
  }

  /** Out of a field: to the text it belongs to, else to the prompt. */
  function leave(target) {
    if (!target.isConnected) return; // an empty line went with its field
    const column = page.columns.find(({ element }) => element.contains(target));
    if (column && target.matches("footer *")) column.leaveField();
    else focus(document.getElementById("prompt"));
  }
}

function act(event, what) {
  event.preventDefault();
  what();
}

/** Set a line of the rubric and go on to the next; 0 stands for 10 where there is no level 0. */
function rate(line, key) {
  const level = line.querySelector(`input[value="${key}"]`) ?? (key === "0" && line.querySelector('input[value="10"]'));
  if (!level) return false;
  level.click();
  const next = line.nextElementSibling;
  // After the last line digits mean the preference again.
  focus(next ? next.querySelector("input:checked") ?? next.querySelector("input") : line.closest(".response").querySelector(".body"));
  return true;
}
