"""What a model card says, whoever wrote it."""

import pytest

from worker.rm.facts import _licence


@pytest.mark.parametrize(
    ("head", "licence"),
    [
        ("license: mit", "mit"),
        ("license: [mit, apache-2.0]", "mit, apache-2.0"),
        ("license: other\nlicense_name: tower-1", "tower-1"),
        ('license: other\nlicense_name: "x\\n\\n# Big"', "x # Big"),
        ("license: other", "other"),
        ("license: {a: 1}", ""),
        ("license: [a", ""),
        ("license: !!python/object/apply:os.getcwd []", ""),
        ("- a list", ""),
        ("a: &a [x, x]\nb: &b [*a, *a]\nlicense: [*b, *b]", ""),
    ],
)
def test_the_licence_is_a_line_of_text_or_nothing(tmp_path, head, licence):
    (tmp_path / "README.md").write_text(f"---\n{head}\n---\n# A model\n")
    assert _licence(tmp_path) == licence


def test_a_card_that_is_no_text_says_nothing(tmp_path):
    (tmp_path / "README.md").write_bytes(b"---\nlicense: \xff\n---\n")
    assert _licence(tmp_path) == ""
