"""Code → shaded tokens, for a short list of languages. PURE."""

from collections.abc import Iterator
from functools import lru_cache
from time import thread_time

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Literal, Name, Token

CODE_LIMIT = 30_000  # characters; longer code is shown without colours
PATIENCE = 0.2  # seconds of computing: from every token some lexers read on to the end, for minutes in hostile code
LANGUAGES = frozenset(
    "python py javascript js typescript ts json bash sh shell sql html xml css java c cpp c++ csharp go rust ruby"
    " php r yaml toml diff kotlin swift scala haskell lua latex tex".split()
)
SHADES = (
    (Comment, "t-c"), (Keyword, "t-k"), (Literal.Number, "t-n"), (Literal, "t-s"),
    (Name.Function, "t-f"), (Name.Class, "t-f"), (Name.Decorator, "t-f"), (Name.Builtin, "t-k"), (Name.Tag, "t-k"),
)  # fmt: skip


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    return get_lexer_by_name(language) if language in LANGUAGES else None


def shaded(code: str, language: str) -> Iterator[tuple[int, str, str]]:
    """(offset, shade, text) of each token; the whole code at once where the language is unknown."""
    lexer = _lexer(language) if len(code) <= CODE_LIMIT else None
    found, end = [], thread_time() + PATIENCE
    for token in lexer.get_tokens_unprocessed(code) if lexer else ():
        found.append(token)
        if thread_time() > end:
            break
    if "".join(text for _, _, text in found) != code:
        found = [(0, Token, code)]
    for offset, kind, text in found:
        yield offset, next((shade for parent, shade in SHADES if kind in parent), ""), text
