// Dragging by pointer events, mouse or finger: which place stands under it, and what is dropped there.

const FAR = 5; // px: less is a click

/** @param grip (target) => the element to drag or null  @param over (element or null) => show where it would fall  @param drop (item, place) */
export function draggable(element, grip, place, over, drop, signal) {
  let held = null;
  const end = () => {
    if (held) held.item.classList.remove("dragged");
    if (held) held.item.style.transform = "";
    held = null;
    over(null);
  };
  const under = ({ clientX, clientY }) => {
    held.item.style.pointerEvents = "none"; // what is beneath it is asked
    const found = place(document.elementFromPoint(clientX, clientY));
    held.item.style.pointerEvents = "";
    return found;
  };
  element.addEventListener("pointerdown", (event) => {
    const item = event.button === 0 && grip(event.target);
    if (item) held = { item, x: event.clientX, y: event.clientY, id: event.pointerId, moved: false };
  }, { signal });
  document.addEventListener("pointermove", (event) => {
    if (held?.id !== event.pointerId) return;
    const [x, y] = [event.clientX - held.x, event.clientY - held.y];
    if (!held.moved && Math.hypot(x, y) < FAR) return;
    held.moved = true;
    held.item.classList.add("dragged");
    held.item.style.transform = `translate(${x}px, ${y}px)`;
    over(under(event));
  }, { signal });
  document.addEventListener("pointerup", (event) => {
    if (held?.id !== event.pointerId) return;
    const [{ item, moved }, target] = [held, held.moved ? under(event) : null];
    end();
    if (moved) document.addEventListener("click", (click) => click.stopPropagation(), { capture: true, once: true, signal: AbortSignal.timeout(50) });
    if (target) drop(item, target);
  }, { signal });
  document.addEventListener("pointercancel", end, { signal });
}
