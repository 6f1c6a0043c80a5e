// Draws the figures that the server made: <div class="chart" data-figure="ID OF A JSON SCRIPT" data-href="…">.
// Colours come as CSS custom properties and are resolved here, again whenever the reader's theme changes.

const canvas = document.createElement("canvas").getContext("2d");

/** "var(--pos, 0.2)" → "rgba(31, 95, 168, 0.2)", in the theme of now; --pos and --neg hold three numbers, not a colour. */
function colour(text) {
  const [, name, opacity] = text.match(/^var\((--[\w-]+)(?:, ([\d.]+))?\)$/);
  const value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  canvas.fillStyle = /^[\d ]+$/.test(value) ? `rgb(${value} / ${opacity ?? 1})` : value;
  return canvas.fillStyle;
}

function resolved(value) {
  if (typeof value === "string") return value.startsWith("var(--") ? colour(value) : value;
  if (Array.isArray(value)) return value.map(resolved);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, resolved(part)]));
}

function draw(box) {
  const figure = resolved(JSON.parse(document.getElementById(box.dataset.figure).textContent));
  const narrow = box.clientWidth < 480;
  if (narrow) Object.assign(figure.layout.margin, { l: 40, r: 8 });
  const font = getComputedStyle(document.body).fontFamily;
  const layout = { ...figure.layout, font: { ...figure.layout.font, family: font }, height: narrow ? 320 : 440 };
  return window.Plotly.react(box, figure.data, layout, { responsive: true, displaylogo: false, displayModeBar: false });
}

async function start(box) {
  await draw(box);
  box.dataset.drawn = "yes";
  if (!box.dataset.href) return;
  box.on("plotly_click", ({ points }) => {
    const item = points[0]?.customdata;
    if (item != null) location.assign(box.dataset.href + encodeURIComponent(item));
  });
}

const boxes = (root = document) => [...root.querySelectorAll(".chart[data-figure]")];
const startAll = (root) => boxes(root).filter((box) => !box.dataset.drawn).forEach(start);

startAll(document);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => boxes().forEach(draw));
document.addEventListener("htmx:beforeSwap", ({ detail }) => boxes(detail.target).forEach((box) => window.Plotly.purge(box)));
document.addEventListener("htmx:afterSettle", ({ target }) => startAll(target));
