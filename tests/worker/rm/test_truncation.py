from dataclasses import replace

import pytest

from worker.rm import backbone
from worker.rm.recipe import Encoding
from worker.rm.truncation import Survey, kept, survey
from worker.rm.types import Comparison, Dataset, Example, Ranking

SHORT, LONG = "It is tall.", "It is tall " * 20


def example(key, response):
    return Example(key, "g", (("user", "How tall is it?"),), response)


@pytest.fixture
def data():
    """Two that fit and two whose difference lies past the end."""
    texts = (SHORT, LONG + "one", LONG + "two", "Small.")
    examples = [example(key, text) for key, text in zip("abcd", texts, strict=True)]
    ranking = Ranking(((0,), (1, 3), (2,)), (2, 1, 0, 3))
    return Dataset(
        examples, [Comparison(0, 1, 1.0), Comparison(0, 3, 1.0)], [Comparison(1, 2, 0.0)], rankings=[ranking]
    )


def encoder(minilm, truncation):
    return backbone.load("minilm", Encoding(max_length=24, truncation=truncation)).encoder


def test_what_is_cut_and_what_became_equal_is_named(minilm, data):
    found = survey(data, encoder(minilm, "left"))
    assert (found.cut, found.dropped, found.identical) == (("b", "c"), (), (("b", "c"),))
    assert found.counts() == {"cut": 2, "dropped": 0, "identical": 1, "tokens": found.tokens}
    assert found.tokens == sum(len(one.ids) for one in encoder(minilm, "left").encode_all(data.examples))


def test_what_is_told_names_them(minilm, data):
    assert survey(data, encoder(minilm, "left")).lines() == [
        "2 responses are too long and cut: b, c",
        "1 compared pairs differ in their texts and not in what the backbone reads: b and c",
    ]
    many = Survey((), tuple(map(str, range(25))), (), 0)
    assert many.lines() == [f"25 responses are too long and left out: {', '.join(map(str, range(20)))} and 5 more"]


def test_a_long_prompt_makes_nothing_equal(minilm, data):
    turns = (("user", "How tall is it? " * 20),)
    long = [replace(one, turns=turns, response=one.response[-9:]) for one in data.examples]
    assert survey(replace(data, examples=long), encoder(minilm, "middle")).identical == ()


def test_what_is_dropped_takes_along_what_was_said_about_it(minilm, data):
    found = survey(data, encoder(minilm, "drop"))
    assert (found.cut, found.dropped, found.identical) == ((), ("b", "c"), ())
    rest = kept(data, found)
    assert [one.key for one in rest.examples] == ["a", "d"]
    assert (rest.train, rest.test) == ([Comparison(0, 1, 1.0)], [])
    assert rest.rankings == [Ranking(((0,), (1,)), (0, 1))]


def test_where_nothing_is_dropped_all_stays(minilm, data):
    assert kept(data, survey(data, encoder(minilm, "left"))) == data


def test_a_ranking_of_which_one_is_left_goes(minilm, data):
    few = replace(data, rankings=[Ranking(((1,), (0,)), (0, 1))])
    assert kept(few, survey(few, encoder(minilm, "drop"))).rankings == []
