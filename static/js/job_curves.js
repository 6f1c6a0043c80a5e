// The curves of a training: loss and accuracy over steps with the held-out interval, and speed, padding and memory.

import { plot } from "./charts.js";

const chart = document.getElementById("curve");
const speed = document.getElementById("speed");
const figures = document.getElementById("figures");
const MOST = 4000; // points kept in the page; a long run loses every second one of the old
const AXIS = { gridcolor: "var(--line)", zeroline: false };
const percent = (share) => `${(100 * share).toFixed(1)} %`;
const COSTS = [
  { key: "tokens_per_second", name: "useful tokens a second", axis: "tokens/s", say: (v) => Math.round(v).toLocaleString("en"), color: "var(--accent)" },
  { key: "padding", name: "padding", say: percent, color: "var(--c3)", tickformat: ".0%" },
  { key: "memory_mb", name: "memory, MB", say: (v) => Math.round(v).toLocaleString("en"), color: "var(--c2)" },
  { key: "learning_rate", name: "learning rate", say: (v) => v.toExponential(1).replace("-", "−"), color: "var(--c4)", aside: true },
];

/** At most MOST points: of many, every second but the evaluations and the newest. */
export function thin(points) {
  if (points.length <= MOST) return points;
  return points.filter((point, n) => n % 2 === 0 || point.held_out_accuracy != null || n === points.length - 1);
}

const having = (points, key) => points.filter((point) => point[key] != null);

function line(points, key, name, more) {
  const fit = having(points, key);
  const mode = fit.length > 200 ? "lines" : "lines+markers";
  return { name, x: fit.map((p, n) => p.step ?? n + 1), y: fit.map((p) => p[key]), mode, marker: { size: 4 }, ...more };
}

/** Evaluations; the last one is made after the last step. */
function heldOut(points) {
  const last = Math.max(...points.map((p) => p.step ?? 0));
  const fit = having(points, "held_out_accuracy").map((p) => ({ step: last, ...p }));
  const bars = { type: "data", symmetric: false, color: "var(--good)" };
  bars.array = fit.map((p) => (p.high ?? p.held_out_accuracy) - p.held_out_accuracy);
  bars.arrayminus = fit.map((p) => p.held_out_accuracy - (p.low ?? p.held_out_accuracy));
  return line(fit, "held_out_accuracy", "held-out accuracy", { yaxis: "y2", line: { color: "var(--good)" }, error_y: bars });
}

export function draw(points) {
  const fit = having(points, "loss");
  if (!chart || !window.Plotly || !fit.length) return;
  chart.hidden = false;
  const traces = [line(points, "loss", "loss", { line: { color: "var(--accent)" } })];
  const dotted = { yaxis: "y2", line: { color: "var(--gold)", dash: "dot" } };
  if (having(points, "accuracy").length) traces.push(line(points, "accuracy", "training accuracy", dotted));
  if (having(points, "held_out_accuracy").length) traces.push(heldOut(points));
  const narrow = chart.clientWidth < 480;
  const legend = { orientation: "h", y: 1.02, yanchor: "bottom" };
  const layout = {
    height: narrow ? 380 : 320, hovermode: "x", margin: { l: 56, r: 56, t: narrow ? 88 : 32, b: 48 }, legend,
    xaxis: { ...AXIS, title: { text: "step" } }, yaxis: { ...AXIS, title: { text: "loss" } },
    yaxis2: { ...AXIS, title: { text: "accuracy" }, overlaying: "y", side: "right", showgrid: false, tickformat: ".0%" },
  };
  plot(chart, { data: traces, layout });
  chart.dataset.points = fit.length;
  document.getElementById("says").textContent = inWords(fit.at(-1), having(points, "held_out_accuracy").at(-1));
  drawCosts(points);
}

function inWords(newest, measured) {
  const training = newest.accuracy == null ? "" : `, right on ${percent(newest.accuracy)} of the training pairs`;
  const said = `Step ${newest.step}: loss ${newest.loss.toFixed(4)}${training}.`;
  if (!measured) return said;
  const interval = measured.low == null ? "" : ` (95 % interval ${percent(measured.low)} to ${percent(measured.high)})`;
  return `${said} On held-out pairs: ${percent(measured.held_out_accuracy)}${interval}.`;
}

/** What the training costs: the newest numbers, and those that move as curves under each other. */
function drawCosts(points) {
  const known = COSTS.filter(({ key }) => having(points, key).length);
  if (!known.length) return;
  for (const part of [speed, figures, document.getElementById("speed-title")]) part.hidden = false;
  figures.replaceChildren(...known.map(({ key, name, say }) => card(name, say(having(points, key).at(-1)[key]))));
  const curves = known.filter(({ aside }) => !aside);
  const layout = { height: 120 * curves.length + 56, margin: { l: 72, r: 16, t: 8, b: 48 }, showlegend: false, hovermode: "x" };
  layout.grid = { rows: curves.length, columns: 1, pattern: "independent", roworder: "top to bottom" };
  const data = curves.map(({ key, name, axis, color, tickformat }, n) => {
    const place = n ? String(n + 1) : "";
    layout[`xaxis${place}`] = { ...AXIS, ...(n === curves.length - 1 && { title: { text: "step" } }) };
    layout[`yaxis${place}`] = { ...AXIS, title: { text: axis ?? name.split(",")[0] }, rangemode: "tozero", tickformat };
    return line(points, key, name, { xaxis: `x${place}`, yaxis: `y${place}`, line: { color } });
  });
  plot(speed, { data, layout });
  speed.dataset.points = having(points, curves[0]?.key).length;
}

function card(name, value) {
  const box = document.createElement("div");
  const [term, figure] = [document.createElement("dt"), document.createElement("dd")];
  box.className = "card";
  term.className = "soft small";
  figure.className = "figure";
  term.textContent = name;
  figure.textContent = value;
  box.append(term, figure);
  return box;
}
