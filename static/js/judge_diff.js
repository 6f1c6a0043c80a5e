// What changed between two texts, by words (Myers 1986, "An O(ND) difference algorithm", greedy forward search).

const MOST = 500; // edits; two texts further apart than this are shown as one replaced by the other
const words = (text) => text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];

/** @returns [["same" | "gone" | "new", text], …] in reading order */
export function diff(before, after) {
  const [a, b] = [words(before), words(after)];
  let [head, tail] = [0, 0];
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail += 1;
  const middle = edits(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  return joined([["same", a.slice(0, head)], ...middle, ["same", a.slice(a.length - tail)]]);
}

function edits(a, b) {
  const trace = search(a, b);
  return trace ? walk(trace, a, b) : [["gone", a], ["new", b]];
}

/** For each number of edits, how far along a one comes on each diagonal; null beyond MOST edits. */
function search(a, b) {
  let far = new Map([[1, 0]]);
  const trace = [];
  for (let d = 0; d <= Math.min(a.length + b.length, MOST); d += 1) {
    trace.push(far);
    far = new Map(far);
    for (let k = -d; k <= d; k += 2) {
      let x = down(far, k, d) ? far.get(k + 1) : far.get(k - 1) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      far.set(k, x);
      if (x >= a.length && x - k >= b.length) return trace;
    }
  }
  return null;
}

const down = (far, k, d) => k === -d || (k !== d && far.get(k - 1) < far.get(k + 1));

function walk(trace, a, b) {
  const found = [];
  let [x, y] = [a.length, b.length];
  for (let d = trace.length - 1; d >= 0; d -= 1) {
    const k = down(trace[d], x - y, d) ? x - y + 1 : x - y - 1;
    const [fromX, fromY] = d ? [trace[d].get(k), trace[d].get(k) - k] : [0, 0];
    while (x > fromX && y > fromY) (found.push(["same", [a[x - 1]]]), (x -= 1), (y -= 1));
    if (d) found.push(x === fromX ? ["new", [b[y - 1]]] : ["gone", [a[x - 1]]]);
    [x, y] = [fromX, fromY];
  }
  return found.reverse();
}

function joined(parts) {
  const out = [];
  for (const [kind, tokens] of parts) {
    if (!tokens.length) continue;
    if (out.at(-1)?.[0] === kind) out.at(-1)[1] += tokens.join("");
    else out.push([kind, tokens.join("")]);
  }
  return out;
}
