"""Values of tokens, with the text and the place of each."""

from ..backbone import Backbone
from ..encode import Encoded
from ..types import Example, TokenValue


def named(backbone: Backbone, example: Example, encoded: Encoded, values: list[float]) -> tuple[TokenValue, ...]:
    """Each token with its text and place; specials by their own name."""
    found = []
    parts = (
        ("prompt", encoded.prompt_span, encoded.prompt, encoded.prompt_offsets),
        ("response", encoded.response_span, example.response, encoded.offsets),
    )
    place = {
        begin + n: (part, text, *map(int, offsets[n]))
        for part, (begin, end), text, offsets in parts
        for n in range(end - begin)
    }
    for n, value in enumerate(values):
        if n in place:
            part, text, start, end = place[n]
            found.append(TokenValue(text[start:end], start, end, part, value))
        else:
            special = backbone.encoder.tokenizer.convert_ids_to_tokens(encoded.ids[n])
            found.append(TokenValue(special, 0, 0, "special", value))
    return tuple(found)
