import pytest

from worker.rm.encode import Encoder
from worker.rm.recipe import Encoding
from worker.rm.template import prompt_text
from worker.rm.types import Example


def example(prompt="Who?", response="Ann.", **more):
    return Example("k", "g", (("user", prompt),), response, **more)


def test_an_encoder_reads_cls_prompt_sep_response_sep(minilm):
    found = minilm.encoder.encode(example())
    tokens = minilm.encoder.tokenizer.convert_ids_to_tokens(found.ids)
    assert tokens == ["[CLS]", "who", "?", "[SEP]", "ann", ".", "[SEP]"]
    assert (found.prompt_span, found.response_span, found.cut) == ((1, 3), (4, 6), 0)


def test_ids_are_golden(minilm):
    assert minilm.encoder.encode(example()).ids == (101, 2040, 1029, 102, 5754, 1012, 102)


@pytest.mark.parametrize("text", ["Ça va? Très 👩‍👧 bien.", "a\r\nb  c", "e\u0301te\u0301 **bold**", "𝔘nicode x²"])
def test_offsets_are_code_points_of_the_raw_response(minilm, text):
    found = minilm.encoder.encode(example(response=text))
    for (start, end), token in zip(found.offsets, found.ids[slice(*found.response_span)], strict=True):
        said = minilm.encoder.tokenizer.decode([token]).removeprefix("##")
        written = text[start:end]
        assert 0 <= start < end <= len(text)
        assert said == "[UNK]" or said[0] == written[0].lower() or not written.isascii()


def test_what_is_too_long_loses_the_left_of_the_prompt_first(minilm):
    short = Encoder(minilm.encoder.tokenizer, 10, causal=False)
    found = short.encode(example("one two three four five six", "seven eight nine"))
    tokens = short.tokenizer.convert_ids_to_tokens(found.ids)
    assert tokens == "[CLS] three four five six [SEP] seven eight nine [SEP]".split()
    assert found.cut == 2
    assert [found.prompt[a:b] for a, b in found.prompt_offsets] == "three four five six".split()


def test_then_the_right_of_the_response(minilm):
    short = Encoder(minilm.encoder.tokenizer, 6, causal=False)
    found = short.encode(example("one two", "three four five six seven"))
    assert short.tokenizer.convert_ids_to_tokens(found.ids) == "[CLS] [SEP] three four five [SEP]".split()
    assert (found.cut, found.tokens) == (4, 3)


def test_the_middle_of_a_prompt_can_go_instead(minilm):
    short = Encoder(minilm.encoder.tokenizer, 9, False, Encoding(truncation="middle"))
    found = short.encode(example("one two three four five six", "seven eight nine"))
    tokens = short.tokenizer.convert_ids_to_tokens(found.ids)
    assert tokens == "[CLS] one five six [SEP] seven eight nine [SEP]".split()
    assert [found.prompt[a:b] for a, b in found.prompt_offsets] == tokens[slice(*found.prompt_span)]
    assert found.cut == 3


def test_a_length_without_room_is_refused(minilm):
    with pytest.raises(ValueError, match="leaves no room for a response: raise max_length"):
        Encoder(minilm.encoder.tokenizer, 3, causal=False).encode(example())


def test_roles_are_named_where_there_is_more_than_one_turn():
    assert prompt_text((("user", "Hi"),)) == "Hi"
    assert prompt_text((("user", "Hi"), ("assistant", "Yes"), ("user", "So"))) == "user: Hi\nassistant: Yes\nuser: So"


def test_the_hash_follows_what_changes_ids(minilm):
    same = Encoder(minilm.encoder.tokenizer, minilm.encoder.max_length, causal=False)
    assert same.hash == minilm.encoder.hash
    assert Encoder(minilm.encoder.tokenizer, 100, causal=False).hash != same.hash


def test_the_hash_does_not_follow_the_state_that_calls_leave_behind(minilm):
    before = Encoder(minilm.encoder.tokenizer, 64, causal=False).hash
    minilm.encoder.tokenizer(["a", "b c"], padding=True, truncation=True, max_length=8)
    assert Encoder(minilm.encoder.tokenizer, 64, causal=False).hash == before


def test_one_is_encoded_as_among_many(minilm):
    many = [example(), example("Where to?", "There."), example(response="")]
    assert [one.ids for one in minilm.encoder.encode_all(many)] == [minilm.encoder.encode(one).ids for one in many]
