"""Input delay of the span editor in a real Chromium: keydown to the end of the next frame, 25 kB of text, 200 marks.

python -m tests.benchmarks.span_editor [--quick]

One text of many blocks (prose, lists, a table, code, formulas), rendered and raw; every key moves, marks, adjusts,
removes or undoes. Opening is from the script's start to the first frame with all marks painted.
"""

import json
import statistics
import sys

from annotate.text import plain, render
from tests.browser import FLAGS, find
from tests.e2e.span_page import CATEGORIES, open_page

SIZE, MARKS, TARGET_MS, OPEN_MS = 25_000, 200, 50, 1000
BLOCK = (
    "## Part {n}\n\nThe **river** is *long* and its name, [as they say](https://example.org/{n}), comes from a word "
    "for “water” 🌊 in an older language; $x_{n}^2$ people live there.\n\n- one thing about the town of `A{n}`\n"
    "- another, 中文字符 and שלום עולם\n\n| City | People |\n|---|---:|\n| Rome {n} | 3 |\n\n"
    "```python\ndef f(x):\n    return x + {n}  # a comment\n```\n\n"
)
KEYS = ["ArrowRight", "Shift+ArrowRight", "1", "Shift+ArrowLeft", "ArrowDown", "2", "n", "+", "Shift+ArrowRight",
        "n", "Delete", "p", "Control+z", "s", "ArrowRight", "c", "ArrowLeft", "w", "Home", "End"]  # fmt: skip
LISTEN = """() => {
  window.delays = [];
  const channel = new MessageChannel();
  let pressed = null;
  channel.port1.onmessage = () => window.delays.push(performance.now() - pressed);
  addEventListener("keydown", (event) => {
    pressed = event.timeStamp;
    requestAnimationFrame(() => channel.port2.postMessage(null));
  }, { capture: true });
}"""


def text() -> str:
    """Markdown of SIZE bytes."""
    blocks = "".join(BLOCK.format(n=n) for n in range(SIZE // 300))
    return blocks.encode()[:SIZE].decode(errors="ignore")


def marks(raw: str) -> list[dict]:
    """MARKS spans of 5 to 60 code points over the whole text, many of them overlapping."""
    step = (len(raw) - 80) // MARKS
    keys = [category["key"] for category in CATEGORIES]
    return [
        {"start": n * step, "end": n * step + 5 + n * 37 % 56, "category": keys[n % 2], "note": f"note {n}"}
        for n in range(MARKS)
    ]


def delays(page, rounds: int) -> list[float]:
    """Milliseconds from each keydown to the end of its frame."""
    page.evaluate(LISTEN)
    page.focus("#text")
    page.keyboard.press("Enter")
    for n in range(rounds * len(KEYS)):
        page.keyboard.press(KEYS[n % len(KEYS)])
        page.wait_for_timeout(20)
    return page.evaluate("delays")[1:]


def measure(chromium, make, rounds: int) -> tuple[float, list[float]]:
    """Milliseconds to open, and of each key."""
    tab, raw = chromium.new_page(viewport={"width": 900, "height": 700}), text()
    page = open_page(tab, raw, make, marks(raw))
    opened = page.evaluate("window.opened")
    found = delays(page, rounds)
    tab.close()
    return opened, found


def main() -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find(), args=FLAGS)
        for name, make in (("rendered", render), ("raw", plain)):
            opened, found = measure(chromium, make, rounds=3 if "--quick" in sys.argv else 15)
            line(
                f"key to next frame, 25 kB, 200 spans, {name}", statistics.quantiles(found, n=20)[-1], TARGET_MS, found
            )
            line(f"opening, 25 kB, 200 spans, {name}", opened, OPEN_MS)
        chromium.close()


def line(name: str, ours: float, target: int, every: list[float] = ()) -> None:
    more = {"median": round(statistics.median(every), 1), "worst": round(max(every), 1)} if every else {}
    shown = {"name": f"span editor: {name}", "ours": round(ours, 1), "unit": "ms p95" if every else "ms"}
    print(json.dumps(shown | more | {"target": f"≤ {target}", "holds": ours <= target}))


if __name__ == "__main__":
    main()
