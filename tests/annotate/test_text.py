"""Known texts: what is shown, from where, and what hostile input turns into."""

import re

import pytest
from django.template import Context, Template

from annotate.text import Html, Run, plain, prose, quote, render, runs, snap
from annotate.text.latex import LONGEST, mathml
from tests.annotate.markup import TAGS, Reader


def shown(raw):
    return [run.text for run in runs(raw) if run.text.strip()]


def exact(raw, text):
    """The only exact run with this text."""
    (run,) = [run for run in runs(raw) if run.exact and run.text == text]
    assert raw[run.start : run.end] == text
    return run


def atoms(raw):
    return [(raw[run.start : run.end], run.text) for run in runs(raw) if not run.exact]


# Where things stand


def test_offsets_count_code_points_not_bytes_nor_utf16():
    raw = "é 👩‍👩‍👧 𝒳 **bold** cafe\u0301"
    assert exact(raw, "bold").start == raw.index("bold")
    assert runs(raw)[-1] == Run(raw.index("bold") + 6, len(raw), " cafe\u0301", True)


def test_emphasis_is_hidden_between_runs():
    assert [(run.start, run.end) for run in runs("a **b** c")] == [(0, 2), (4, 5), (7, 9)]


def test_crlf_becomes_an_atom_that_shows_a_line_end():
    assert atoms("one\r\ntwo") == [("\r\n", "\r\n")]
    assert '<span class="r atom" data-s="3" data-e="5">\n</span>' in render("one\r\ntwo")


def test_table_cells_and_their_escapes():
    raw = "| City | n |\r\n|:--|--:|\r\n| Ünï | `a\\|b` x\\|y |\r\n"
    assert shown(raw) == ["City", "n", "Ünï", "a", "|b", " x", "|y"]
    assert '<th class="left">' in render(raw)
    assert '<td class="right">' in render(raw)


def test_fenced_code_is_coloured_and_exact():
    raw = "```python\ndef f():\n    return '😀'\n```"
    assert all(run.exact for run in runs(raw))
    assert "".join(run.text for run in runs(raw)) == "def f():\n    return '😀'\n"
    assert re.search(r'class="r t-k" data-s="\d+" data-e="\d+">def<', render(raw))


def test_code_inside_a_quote_skips_the_quote_marks():
    raw = "> ```\n> a\n>  b\n> ```"
    assert shown(raw) == ["a\n", " b\n"]
    assert exact(raw, " b\n").start == raw.index(" b")


def test_inline_code_over_two_lines_of_a_quote():
    raw = "> `one\n> two`"
    assert shown(raw) == ["one\n", "two"]


def test_unknown_language_and_long_code_are_shown_plain():
    for raw in ("```nonsense\nx = 1\n```", "```python\n" + "x = 1\n" * 6000 + "```"):
        assert "t-n" not in render(raw)
        assert runs(raw)[0].text.startswith("x = 1")


@pytest.mark.parametrize(
    ("raw", "display"),
    [("$x^2$", False), (r"\(x^2\)", False), (r"\[x^2\]", True), ("$$x^2$$", True), ("\\[\nx^2\n\\]", True)],
)
def test_math_is_one_atom(raw, display):
    assert [(at, text.strip()) for at, text in atoms(f"so {raw} it is")] == [(raw, "x^2")]
    assert (' display="block"' in render(raw)) is display
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in render(raw)


@pytest.mark.parametrize(
    "raw",
    [
        "$5 and $10",
        "US$100 million and 1,000 (US$9.8 million)",
        "$25–30 billion, or 25 billion euros ($27)",
        "$5–$10",
        "$9.8 million), grossing a sum (US$)",
        "a $ b $ c",
        "$one\n\ntwo$",
        r"\$x$",
        r"a \(lonely",
        r"f\(x\)",
        r"\[see\](http://a.b)",
        r"\(two" + "\n\n" + r"parts\)",
    ],
)
def test_what_only_looks_like_math_is_text(raw):
    assert "<math" not in render(raw)


def test_money_beside_math_and_in_addresses():
    raw = "Pay $5 for **$x$** at [shop](http://a.b/$5) and 其中$y$。"
    assert [at for at, _ in atoms(raw)] == ["$x$", "$y$"]
    assert shown(raw)[0] == "Pay $5 for "
    assert 'href="http://a.b/$5"' in render(raw)
    assert "$HOME" in "".join(run.text for run in runs("```bash\necho $HOME\n```"))


def test_math_in_code_stays_code():
    raw = r"Write `\(` and `\)` or ```\[x\]```."
    assert [run.text for run in runs(raw) if "\\" in run.text] == [r"\(", r"\)", r"\[x\]"]


def test_unreadable_math_is_shown_as_source():
    assert exact(r"$x^2^3$ x", r"$x^2^3$")
    assert mathml("x" * (LONGEST + 1)) is None
    assert mathml("{" * 3000) is None


def test_aligned_equations_are_a_table():
    assert mathml(r"\begin{aligned}a&=b\\c&=d\end{aligned}").count("<mtr>") == 2


def test_entities_are_atoms():
    assert atoms("AT&amp;T &#x1F600; &copy;") == [("&amp;", "&"), ("&#x1F600;", "😀"), ("&copy;", "©")]
    assert shown("&bogus; a & b") == ["&bogus; a & b"]


def test_nested_lists_tasks_and_order():
    raw = "3. one\n   - two\n     - [x] three\n"
    assert render(raw).startswith('<ol start="3"><li>')
    assert shown(raw) == ["one", "two", "☑", "three"]
    assert render(raw).count("<ul>") == 2


def test_right_to_left_is_kept_in_logical_order():
    raw = "שלום **עולם** مرحبا"
    assert shown(raw) == ["שלום ", "עולם", " مرحبا"]


def test_link_definitions_are_not_hidden_from_a_rater():
    assert "[ref]: http://x.y" in shown("Text [ref].\n\n[ref]: http://x.y\n")
    assert shown("[//]: # (a hidden remark)") == ["[//]: # (a hidden remark)"]


def test_what_html_cannot_carry_is_an_atom():
    assert [text for text, _ in atoms("a\0b\ud800c\rd")] == ["\0", "\ud800", "\r"]
    render("\ud800").encode()


def test_plain_shows_the_source_with_its_white_space():
    run = (
        '<span class="r" data-s="0" data-e="6">**a**\n</span><span class="r" data-s="6" data-e="11">  &lt;b&gt;</span>'
    )
    assert plain("**a**\n  <b>") == f'<pre class="raw" dir="auto">{run}</pre>'


def test_prose_has_no_offsets():
    assert prose("# Rules\n\nMark the *shortest* span.") == "<h3>Rules</h3><p>Mark the <em>shortest</em> span.</p>"


# Hostile text


@pytest.mark.parametrize(
    "raw",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "<svg/onload=alert(1)>",
        "<div onclick='x'>\n\n*hi*\n\n</div>",
        "```<img src=x onerror=alert(1)>\ncode\n```",
        '```"><script>\ncode\n```',
        "`<script>`",
        "| <b onclick=x> |\n|---|\n| <iframe> |",
        r"$\text{<img src=x onerror=alert(1)>}$",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        r"$\text{&lt;script&gt;}$",
    ],
)
def test_html_is_shown_as_text(raw):
    page = Reader(render(raw))
    assert page.tags <= TAGS
    assert {name for name, _ in page.attributes} <= {
        "class",
        "data-s",
        "data-e",
        "data-language",
        "display",
        "tabindex",
    }
    assert "alert" not in raw or "alert(1)" in page.shown + str(page.attributes)


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "JaVaScript:x", "data:text/html,x", "vbscript:x", "//evil.test", "/logout/", "#x",
     "java&#10;script:x", "http:evil", "file:///etc/passwd", "&#106;avascript:x"],
)  # fmt: skip
def test_other_links_are_just_words(address):
    html = render(f"[words]({address}) [again]\n\n[again]: {address}")
    assert "href" not in html
    assert '<span class="nolink"><span class="r" data-s="1" data-e="6">words</span></span>' in html


def test_good_links_ask_no_questions():
    html = render('[x](https://a.b/?q=1&r="2") <me@a.b>')
    assert html.count('rel="noopener noreferrer nofollow"') == html.count("href=")
    assert 'href="mailto:me@a.b"' in html


def test_math_attributes_are_a_short_list():
    html = mathml(r"\href{javascript:alert(1)}{x} \style{background:url(x)}{y} \class{a}{z} \color{red}{w}")
    assert re.findall(r" (\w+)=", html) == ["display", "mathcolor"]


def test_images_become_words_and_ask_nobody():
    html = render("![a *cat*](http://evil.test/p.png?<id>)\n\n![x](data:image/png;base64," + "A" * 500 + ")")
    assert "<img" not in html
    assert "Image: a cat (http://evil.test/p.png?&lt;id&gt;)" in html
    assert "A" * 121 not in html


@pytest.mark.parametrize(
    "raw",
    [r"\(" * 12_000, "$x$" * 8_000, ">" * 25_000, "[" * 25_000, "`a" * 12_000, "*a " * 8_000, "- " * 12_000,
     "```python\n" + "x=(1,'" * 4_000, "|a|b|\n|-|-|\n" + "|x|y|\n" * 4_000, "![" * 12_000, "😀**" * 8_000],
    ids=lambda raw: raw[:4],
)  # fmt: skip
def test_25_kb_of_anything_is_rendered(raw):
    page = Reader(render(raw))
    assert page.deepest < 60
    assert page.tags


def test_code_that_takes_too_long_to_colour_is_shown_without_colours(monkeypatch):
    code = "```java\nint a = 1;\n```"
    assert "t-k" in render(code)
    monkeypatch.setattr("annotate.text.highlight.PATIENCE", -1)
    assert 'class="r" data-s="8" data-e="19">int a = 1;' in render(code)


# The string and the span


def test_templates_print_markup_as_it_is_and_escape_what_is_cut_from_it():
    html = render("a < *b*")
    assert isinstance(html, Html)
    assert Template("{{ html }}").render(Context({"html": html})) == html
    assert Template("{{ html }}").render(Context({"html": html[:3]})) == "&lt;p&gt;"


def test_quote_is_the_raw_text():
    assert quote("a 😀 b", 2, 3) == "😀"


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (2, 2), (3, 2), (0, 6)])
def test_quote_refuses_what_is_outside(start, end):
    with pytest.raises(ValueError, match="not inside"):
        quote("hello", start, end)


@pytest.mark.parametrize(
    ("raw", "start", "end", "kept"),
    [
        ("  two words ", 0, 12, "two words"),
        ("cafe\u0301!", 0, 4, "cafe\u0301"),
        ("see 👩‍👩‍👧 here", 4, 5, "👩‍👩‍👧"),
        ("a 👍🏽 b", 2, 3, "👍🏽"),
        ("is $x^2$ ok", 4, 6, "$x^2$"),
        ("AT&amp;T", 3, 4, "&amp;"),
    ],
)
def test_snap_takes_whole_things(raw, start, end, kept):
    assert quote(raw, *snap(raw, start, end)) == kept


def test_snap_of_white_space_is_nothing():
    with pytest.raises(ValueError, match="not inside"):
        snap("a  b", 1, 3)
