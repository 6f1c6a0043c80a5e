"""What an explanation costs."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from ..ensemble_runs import Ensemble
from ..heads import RewardModel
from ..tuned import TunedModel
from . import known
from .view import backbone_of


@contextmanager
def metered(model: RewardModel | TunedModel | Ensemble) -> Iterator[dict[str, float]]:
    """A dict that holds, once it is over, the tokens that the backbones read, padding with them, and the seconds."""
    spent = {"tokens": 0, "seconds": 0.0}

    def count(_module, _args, given: dict) -> None:
        read = given["input_ids"] if given.get("input_ids") is not None else given["inputs_embeds"]
        spent["tokens"] += read.shape[0] * read.shape[1]

    members = model.members if isinstance(model, Ensemble) else (model,)
    modules = {id(one): one for one in (backbone_of(member).model for member in members)}
    with ExitStack() as stack:
        for module in modules.values():
            stack.callback(module.register_forward_pre_hook(count, with_kwargs=True).remove)
        start, before = time.perf_counter(), dict(known.spent)
        yield spent
        spent["seconds"] = time.perf_counter() - start
        for name, value in known.spent.items():
            spent[name] += value - before[name]
