// The panes of the judging page: their sizes, kept in this browser, and the responses scrolled together on demand.

const STEP = 4; // percent by one key

/** A bar that moves the edge between two panes; pressed (Enter) it folds the first, or opens it again. */
export function splitter(bar, signal) {
  const [name, upright] = [bar.dataset.splitter, bar.classList.contains("upright")];
  const [low, high] = [+bar.ariaValueMin, +bar.ariaValueMax];
  const start = +bar.ariaValueNow;
  const set = (percent) => {
    const value = Math.min(high, Math.max(low, Math.round(percent)));
    bar.ariaValueNow = value;
    bar.closest(".judge").style.setProperty(`--${name}`, value);
    localStorage.setItem(`touchstone:pane:${name}`, value);
  };
  const kept = localStorage.getItem(`touchstone:pane:${name}`);
  if (kept !== null) set(+kept);
  const area = bar.closest(".judge");
  const fold = () => set(+bar.ariaValueNow > low ? low : start);
  bar.addEventListener("keydown", ({ key }) => {
    const step = { ArrowUp: -STEP, ArrowLeft: -STEP, ArrowDown: STEP, ArrowRight: STEP }[key];
    if (step) set(+bar.ariaValueNow + step);
    else if (key === "Enter") fold();
  }, { signal });
  bar.addEventListener("dblclick", fold, { signal });
  bar.addEventListener("pointerdown", (event) => bar.setPointerCapture(event.pointerId), { signal });
  bar.addEventListener("pointermove", (event) => {
    if (!bar.hasPointerCapture(event.pointerId)) return;
    const box = upright ? bar.parentElement.getBoundingClientRect() : area.getBoundingClientRect();
    const from = area.querySelector(".ask").getBoundingClientRect().top;
    set(upright ? ((event.clientX - box.left) / box.width) * 100 : ((event.clientY - from) / innerHeight) * 100);
  }, { signal });
}

/** Texts that scroll together, each by its own share, while `on` says so. */
export function together(bodies, on, signal) {
  const share = (body) => body.scrollTop / Math.max(1, body.scrollHeight - body.clientHeight);
  const set = new Map(); // what we scrolled ourselves is no wish of the reader's
  const follow = (body) => {
    if (!on() || set.get(body) === body.scrollTop) return set.delete(body);
    const wanted = share(body);
    for (const other of bodies) {
      if (other === body) continue;
      other.scrollTop = wanted * (other.scrollHeight - other.clientHeight);
      set.set(other, other.scrollTop);
    }
  };
  for (const body of bodies) body.addEventListener("scroll", () => follow(body), { passive: true, signal });
}
