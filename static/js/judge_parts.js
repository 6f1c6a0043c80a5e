// Small pieces that the lists under a response share.

export const make = (name, properties) => Object.assign(document.createElement(name), properties);

/** Set a field; one that says so already keeps its cursor. */
export function fill(field, value) {
  if (field.value !== String(value ?? "")) field.value = value ?? "";
}

/** A choice of severity with nothing chosen. */
export function severitySelect(value = null) {
  const select = make("select", { name: "severity" });
  select.setAttribute("aria-label", "Severity");
  const levels = [["", "severity"], ["1", "slight"], ["2", "serious"], ["3", "severe"]];
  select.append(...levels.map(([level, textContent]) => make("option", { value: level, textContent })));
  select.value = value ?? "";
  return select;
}
