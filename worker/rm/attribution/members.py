"""An ensemble's score split by what its members' scores split into."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch

from .. import ensemble, scoring
from ..ensemble_runs import Ensemble, spread
from ..types import PREFERENCE, Example, TokenAttribution, TokenValue

Split = Callable[..., TokenAttribution]  # (model, example, head)


def by_members(model: Ensemble, example: Example, head: str, split: Split) -> TokenAttribution:
    """Each member's split by its weight in the score. Only members with a weight are split.

    The mean's weights are 1/K everywhere; the worst's and a quantile's are those of the members that decide this text.
    A member's tokens go to the first member's where both cut the text alike; where they do not, what stands in the
    response goes to the first one's tokens by the characters that they share, and the rest is a feature of the member.
    """
    near = _weights(model, example, head)
    score = float(scoring.score(model, [example]).heads[head][0])
    parts = {n: split(model.members[n], example, PREFERENCE) for n in torch.nonzero(near).flatten().tolist()}
    scale = {n: float(near[n]) / spread(model.members[n]) for n in parts}
    tokens, named = _tokens(parts, scale)
    for n, part in parts.items():
        named |= {f"member:{n} {name}": scale[n] * value for name, value in part.features.items()}
    left = score - sum(scale[n] * (part.score - model.members[n].mean) for n, part in parts.items())
    return replace(
        next(iter(parts.values())),
        head=head,
        tokens=tokens,
        features=named,
        baseline=sum(scale[n] * (part.baseline - model.members[n].mean) for n, part in parts.items()),
        residual=left + sum(scale[n] * part.residual for n, part in parts.items()),
        score=score,
        layers=tuple(
            (f"member:{n} {name}", scale[n] * value) for n, part in parts.items() for name, value in part.layers
        ),
        cost={"nodes": sum(part.cost.get("nodes", 0) for part in parts.values())},
    )


def _weights(model: Ensemble, example: Example, head: str) -> torch.Tensor:
    """(K,) how much of each standardised member is in the score near the text."""
    if head != PREFERENCE:
        return torch.eye(len(model.members))[int(head.removeprefix("member:"))]
    raw = [float(scoring.score(one, [example]).heads[PREFERENCE][0]) for one in model.members]
    own = torch.tensor([[(x - one.mean) / spread(one) for x, one in zip(raw, model.members, strict=True)]])
    (near,) = torch.autograd.grad(ensemble.combine(own.requires_grad_(), model.extras).sum(), own)
    return near[0]


def _tokens(
    parts: Mapping[int, TokenAttribution], scale: Mapping[int, float]
) -> tuple[tuple[TokenValue, ...], dict[str, float]]:
    """The first part's tokens with everybody's values, and what found no place among them."""
    base = next(iter(parts.values())).tokens
    values, left = [0.0] * len(base), {}
    for n, part in parts.items():
        if [_place(one) for one in part.tokens] == [_place(one) for one in base]:
            moved = [one.value for one in part.tokens]
        else:
            moved, rest = _by_characters(base, part.tokens)
            left[f"member:{n} outside the response"] = scale[n] * rest
        values = [old + scale[n] * new for old, new in zip(values, moved, strict=True)]
    return tuple(replace(one, value=value) for one, value in zip(base, values, strict=True)), left


def _place(token: TokenValue) -> tuple[str, int, int, str]:
    return token.text, token.start, token.end, token.part


def _by_characters(base: tuple[TokenValue, ...], other: tuple[TokenValue, ...]) -> tuple[list[float], float]:
    """Other's values among base's tokens, by characters of the response that both hold; and what is left."""
    owner = {at: n for n, one in enumerate(base) if one.part == "response" for at in range(one.start, one.end)}
    values, rest = [0.0] * len(base), 0.0
    for one in other:
        at = [owner[place] for place in range(one.start, one.end) if place in owner] if one.part == "response" else []
        for n in at:
            values[n] += one.value / len(at)
        rest += 0.0 if at else one.value
    return values, rest
