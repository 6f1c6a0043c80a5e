// Draws figures: those that the server made, <div class="chart" data-figure="ID OF A JSON SCRIPT" data-href="…">, by
// itself; others by plot(). Colours are CSS custom properties, resolved here, again whenever the reader's theme changes,
// and for paper, which is light and as wide as it is.

import { offer } from "./picture.js";

const PAPER = 680; // pixels between the margins of a printed page
const COLOUR = /^var\((--[\w-]+)(?:, ([\d.]+))?\)$/;
const root = document.documentElement;
const canvas = document.createElement("canvas").getContext("2d");

/** "var(--pos, 0.2)" → "rgba(31, 95, 168, 0.2)", in the theme of now; --pos and --neg hold three numbers, not a colour. */
function colour(text) {
  const [, name, opacity] = text.match(COLOUR);
  const value = getComputedStyle(root).getPropertyValue(name).trim();
  canvas.fillStyle = /^[\d ]+$/.test(value) ? `rgb(${value} / ${opacity ?? 1})` : value;
  return canvas.fillStyle;
}

function resolved(value) {
  if (typeof value === "string") return COLOUR.test(value) ? colour(value) : value; // a label may begin like one
  if (Array.isArray(value)) return value.map(resolved);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, resolved(part)]));
}

/** Draw {data, layout} into the box, or change what is drawn there, in the theme and the typeface of the page. */
export function plot(box, figure) {
  const { data, layout } = resolved(figure);
  const font = { color: colour("var(--ink)"), size: 13, family: getComputedStyle(document.body).fontFamily };
  const theme = { paper_bgcolor: "transparent", plot_bgcolor: "transparent", font };
  offer(box);
  return window.Plotly.react(box, data, { ...layout, ...theme }, { responsive: true, displaylogo: false, displayModeBar: false });
}

function draw(box) {
  const figure = JSON.parse(document.getElementById(box.dataset.figure).textContent);
  const narrow = box.clientWidth < 480;
  if (narrow) Object.assign(figure.layout.margin, { l: 40, r: 8 });
  const wanted = figure.layout.height ?? 0; // of a chart with a line per label
  figure.layout.height = Math.max(wanted, narrow ? 320 : 440);
  if (root.classList.contains("paper")) Object.assign(figure.layout, { width: PAPER, height: Math.max(wanted, 360) });
  return plot(box, figure);
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

const boxes = (part = document) => [...part.querySelectorAll(".chart[data-figure]")];
const startAll = (part) => boxes(part).filter((box) => !box.dataset.drawn).forEach(start);

startAll(document);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => boxes().forEach(draw));
document.addEventListener("htmx:beforeSwap", ({ detail }) => boxes(detail.target).forEach((box) => window.Plotly.purge(box)));
document.addEventListener("htmx:afterSettle", ({ target }) => startAll(target));
for (const [moment, paper] of [["beforeprint", true], ["afterprint", false]]) {
  addEventListener(moment, () => {
    root.classList.toggle("paper", paper);
    boxes().forEach(draw);
  });
}
