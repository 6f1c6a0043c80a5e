// Lays the colours on anew when the reader groups parts or hides weak ones; the server painted tokens, nothing hidden.

const STRONG = 0.25;

/** The |value| below which parts are hidden: a share of the strongest, or what is not needed to hold a share of all. */
export function threshold(values, cut, level) {
  const sizes = values.map(Math.abs).sort((a, b) => b - a);
  if (!level || !sizes.length) return 0;
  if (cut === "hide") return (level / 100) * sizes[0];
  const enough = (level / 100) * sizes.reduce((sum, size) => sum + size, 0);
  let held = 0;
  return sizes.find((size) => (held += size) >= enough - 1e-12) ?? 0;
}

/** Paint all texts on one scale per layer; gives what is kept of the first: {kept, all, share, peak}. */
export function repaint(texts, { group, cut, level }) {
  const several = texts.some(({ layers }) => layers.length > 1);
  const layers = Math.max(...texts.map((text) => text.layers.length), 0);
  const same = texts.every((text) => text.drawn === group);
  const told = [];
  for (let layer = 0; layer < layers; layer += 1) {
    const groups = texts.flatMap((text) => text.groups(group)[layer] ?? []);
    const values = groups.map(({ value }) => value);
    const [peak, least] = [Math.max(...values.map(Math.abs), 0), threshold(values, cut, level)];
    const kept = groups.filter(({ value }) => Math.abs(value) >= least);
    for (const one of groups) {
      const weak = Math.abs(one.value) < least;
      if (same && one.weak === weak) continue; // it stands there already
      (several ? stripe : fill)(one, weak, peak, layer);
      one.weak = weak;
    }
    told.push({ kept: kept.length, all: groups.length, share: sum(kept) / (sum(groups) || 1), peak });
  }
  if (!same) texts.forEach((text) => text.index(group));
  return told[0];
}

const sum = (groups) => groups.reduce((total, { value }) => total + Math.abs(value), 0);

function fill({ value, pieces }, weak, peak) {
  const strength = peak ? Math.abs(value) / peak : 0;
  for (const piece of pieces) {
    piece.classList.toggle("up", value > 0);
    piece.classList.toggle("down", value < 0);
    piece.classList.toggle("strong", strength > STRONG);
    piece.classList.toggle("weak", weak);
    piece.style.setProperty("--h", strength.toFixed(3));
  }
}

function stripe({ value, pieces }, weak, peak, layer) {
  const strength = peak && !weak ? Math.abs(value) / peak : 0;
  const colour = `rgb(var(${value < 0 ? "--neg" : "--pos"}) / ${strength.toFixed(2)})`;
  for (const piece of pieces) piece.style.setProperty(`--m${layer + 1}`, colour);
}
