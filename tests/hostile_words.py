"""Words that must stay words, and harmless ones of the same kinds to compare with."""

CSS = [
    "red;background:url(//evil.example/x)", "}</style><x-evil>", "expression(evil())", "var(--ink)", "var(--evil",
    "url(javascript:evil())", '#fff" onmouseover="evil()',
]  # fmt: skip
PLOTLY = ['<a href="https://evil.example/">x</a>', "<b>x</b><br>y", "%{x}<extra>x</extra>", "&#60;x-evil&#62;"]
ODD = ["constructor", "__proto__", "\u2066\u202ex\u2069", "${7*7} #{7*7} <%= 7*7 %>"]
HARMLESS = ["plain words", "some more", "a third", "of another length, so that it is wrapped like the others"]
MARKDOWN = r"""# Title

Words *and* **more**, `code`, ~~gone~~, [a link](https://example.org/ "title"), ![picture](https://example.org/x.png)
and <https://example.org/>, $x^2 \text{if} \frac{a}{b}$, $\href{x}{y}$ $\sqrt{x}$ $\foo{x}$

- one
- two

1. first

> said

| a |
|---|
| b |

$$\sum_i x_i$$ $$x</math>$$

```
lines
```

***
"""
