// A drawn chart as a file: two buttons under it, PNG and SVG, made here in the browser in the theme that is on screen.

const WIDTH = 960; // pixels at least: a picture from a phone is as readable as one from a desk

const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");

/** The page and the chart: "length-version-3-rivers-figure". */
const named = (box) => slug(`${document.title} ${box.dataset.figure ?? box.id}`);

async function save(box, format) {
  const paper_bgcolor = getComputedStyle(document.documentElement).backgroundColor;
  const figure = { data: box.data, layout: { ...box.layout, paper_bgcolor, width: undefined } };
  const size = { width: Math.max(WIDTH, box.clientWidth), height: box.clientHeight, scale: format === "png" ? 2 : 1 };
  const link = document.createElement("a");
  link.href = await window.Plotly.toImage(figure, { format, ...size });
  link.download = `${named(box)}.${format}`;
  link.click();
}

/** Put the buttons under a chart that has none yet. */
export function offer(box) {
  if (!box.classList.contains("chart") || box.nextElementSibling?.classList.contains("saves")) return;
  const row = document.createElement("div");
  row.className = "row small saves";
  for (const format of ["png", "svg"]) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "link", textContent: format.toUpperCase() });
    button.setAttribute("aria-label", `${button.textContent} of this chart: ${box.dataset.figure ?? box.id}`);
    button.addEventListener("click", () => save(box, format));
    row.append(button);
  }
  box.after(row);
}
