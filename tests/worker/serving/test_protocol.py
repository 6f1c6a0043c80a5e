"""Requests in both protocols, read and refused."""

import numpy as np
import pytest

from worker.rm.types import Scored
from worker.serving.protocol import Refused, dumped, items, parsed, queries, told_items, told_rewards, turns

CHATML = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhere?<|im_end|>\n<|im_start|>assistant\n"
LLAMA = (
    "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nWhere?<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n"
)


def asked(prompt, query):
    one = queries({"query": [query], "prompts": [prompt], "labels": [None]})[0]
    return one.turns, one.response


@pytest.mark.parametrize(
    ("prompt", "query", "expected"),
    [
        ("Where?", "Where? Here.", ((("user", "Where?"),), " Here.")),
        ("Where?", "<s> Where? Here.</s>", ((("user", "Where?"),), " Here.")),
        ("Where?", "Where?</s><pad><pad>", ((("user", "Where?"),), "")),
        ("<s>Where?", "<s>Where?Here. </s> and so", ((("user", "Where?"),), "Here. </s> and so")),
        (CHATML, f"{CHATML}Here.<|im_end|>\n", ((("system", "Be brief."), ("user", "Where?")), "Here.")),
        (LLAMA, f"{LLAMA}Here.<|eot_id|>", ((("user", "Where?"),), "Here.")),
    ],
)
def test_a_query_of_openrlhf_is_taken_apart(prompt, query, expected):
    assert asked(prompt, query) == expected


def test_a_prompt_without_template_is_one_turn_as_it_stands():
    for prompt in ("Where?", "  two\nlines ", "a <|im_start|> b"):
        assert turns(prompt) == [{"role": "user", "content": prompt}]


@pytest.mark.parametrize(
    ("sent", "why", "place"),
    [
        ({"prompts": ["a"]}, "query must be a list of texts", None),
        ({"query": ["a b"]}, "prompts must be a list of texts, for without the prompt", None),
        ({"query": [], "prompts": []}, "query must be a list", None),
        ({"query": ["a b", "c"], "prompts": ["a"]}, "query holds 2 texts and prompts 1", None),
        ({"query": ["a b", 3], "prompts": ["a", "c"]}, "query.1 must be a text", 1),
        ({"query": ["a b", "c d"], "prompts": ["a", "x"]}, "query.1 does not begin with its prompt", 1),
        ({"query": ["a b", "so c d"], "prompts": ["a", "c"]}, "query.1 does not begin with its prompt", 1),
        ({"query": ["a b", " d"], "prompts": ["a", ""]}, "item 1: the last turn must be the user's", 1),
    ],
)
def test_a_wrong_query_is_refused_by_place(sent, why, place):
    with pytest.raises(Refused) as no:
        queries(sent)
    assert (no.value.status, no.value.item) == (422, place)
    assert why in no.value.why


def test_plain_items_are_what_lines_of_a_file_are():
    one, two = items(
        {"items": [{"prompt": "Where?", "response": ""}, {"turns": TURNS, "response": "B", "context": ["x"]}]}
    )
    assert (one.turns, one.response) == ((("user", "Where?"),), "")
    assert (two.turns, two.context) == ((("system", "s"), ("user", "u")), ("x",))


TURNS = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]


@pytest.mark.parametrize(
    ("sent", "why", "place"),
    [
        ({}, "items must be a list", None),
        ({"items": {}}, "items must be a list", None),
        ({"items": ["a"]}, "item 0: must be an object", 0),
        ({"items": [{"prompt": "a", "response": "b"}, {"prompt": "a"}]}, "item 1: response must be a string", 1),
        ({"items": [{"prompt": "a", "responses": ["b"]}]}, "item 0: must be an object with", 0),
        ({"items": [{"prompt": "a", "turns": TURNS, "response": "b"}]}, "exclude each other", 0),
        ({"items": [{"turns": [{"role": "robot", "content": "a"}], "response": "b"}]}, "item 0: turns.0.role", 0),
        ({"items": [{"prompt": "a", "response": "\ud800"}]}, "item 0: response holds half of a surrogate pair", 0),
        ({"items": [{"prompt": "\udfff", "response": "b"}]}, "item 0: ", 0),
        ({"items": [{"prompt": "a", "context": ["\ud800"], "response": "b"}]}, "item 0: context.0.text", 0),
    ],
)
def test_a_wrong_item_is_refused_by_place(sent, why, place):
    with pytest.raises(Refused) as no:
        items(sent)
    assert (no.value.status, no.value.item) == (422, place)
    assert why in no.value.why


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"a": NaN}', b'{"a": -Infinity}', b"\xff", b"[" * 10**5, b"3"])
def test_a_body_that_is_no_object_is_refused(body):
    with pytest.raises(Refused) as no:
        parsed(body)
    assert no.value.status == 400


def test_answers_hold_every_head_and_no_nan():
    heads = {"preference": np.float32([1.5, np.nan]), "raw": np.float32([2.5, 3.5])}
    found = Scored(heads, np.array([3, 4]), np.array([False, True]))
    one, two = told_items("p:1", found)["items"]
    assert one == {"score": 1.5, "heads": {"preference": 1.5, "raw": 2.5}, "tokens": 3, "truncated": False}
    assert (two["score"], two["heads"]["raw"], two["truncated"]) == (None, 3.5, True)
    assert two["undefined"].startswith("no reference answer")
    assert b"NaN" not in dumped(told_items("p:1", found))


def test_a_reward_that_is_not_defined_refuses_the_request():
    found = Scored({"preference": np.float32([1.0, np.nan])}, np.array([1, 1]), np.array([False, False]))
    with pytest.raises(Refused) as no:
        told_rewards("p:1", found)
    assert (no.value.status, no.value.item) == (422, 1)


def test_rewards_come_as_openrlhf_reads_them():
    heads = {"preference": np.float32([1.0, 2.0]), "segment:wrong": np.float32([0.5, 0.25])}
    told = told_rewards("p:1", Scored(heads, np.array([3, 4]), np.array([False, True])))
    assert told["rewards"] == told["scores"] == [1.0, 2.0]
    assert told["extra_logs"] == {"segment:wrong": [0.5, 0.25], "tokens": [3, 4], "truncated": [0, 1]}


def test_half_a_surrogate_pair_in_a_passage_is_refused():
    with pytest.raises(Refused, match="context holds half of a surrogate pair"):
        items({"items": [{"prompt": "a", "response": "b", "context": [{"title": "\ud800", "text": "c"}]}]})


def test_a_run_of_special_tokens_is_read_once():
    run = "</s> " * 400_000  # read again from each of its tokens, it would keep the server busy for hours
    assert asked("Where?", f"Where?Here.{run}so")[1] == f"Here.{run}so"
    assert asked("Where?", f"Where?Here.{run}")[1] == "Here."
