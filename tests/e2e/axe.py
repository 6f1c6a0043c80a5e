"""What axe-core finds on a page in either theme; the script is brought into each page but once."""

from axe_playwright_python.base import AXE_SCRIPT

RUN = "axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations)"

PAINTED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def violations(page, where=""):
    """What is wrong in light and in dark."""
    return [line for theme in ("light", "dark") for line in violations_in(theme, page, where)]


def violations_in(theme, page, where):
    """One line for each thing found: the place, the theme, the rule, the markup."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    page.emulate_media(color_scheme=theme)
    page.evaluate(PAINTED)  # charts are drawn anew when the theme changes
    found = page.evaluate(RUN)
    return [f"{where}, {theme}: {one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]
