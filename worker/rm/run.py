"""The steps of a training run, one after the other, with checkpoints in between."""

import math
import resource
import time
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn

from . import batching, ensemble, joint, objectives, resume, watch
from .joint import Totals
from .network import RewardNetwork
from .objectives import Learned
from .plan import Group, Plan, within
from .recipe import Recipe
from .types import Report

LEARNING_RATE = {"full": 1e-5, "lora": 1e-4}
HEAD_TIMES = 10  # the heads' rate
BESIDE_RATE = 0.03  # of order effects and ties: logits, moved by about so much in a step


class Run:
    """Holds what a checkpoint holds. `all_steps` goes on from the one in the folder when it is of the same run."""

    def __init__(self, network: RewardNetwork, plan: Plan, recipe: Recipe, folder: Path) -> None:
        self.network, self.plan, self.recipe, self.folder = network, plan, recipe, folder
        self.device = network.backbone.device
        self.budget = recipe.tuning.token_budget or batching.TRAIN_TOKENS[self.device.type]
        self.steps = plan.steps(recipe)
        self.held = watch.watched(plan.held)
        self.looks = watch.moments_of(plan, recipe, self.held, len(self.steps))
        begin = objectives.start(plan.labels, recipe.preference)
        self.learned = Learned(*(nn.Parameter(part.to(self.device)) for part in (begin.gamma, begin.tie)))
        self.optimizer = self._optimizer()
        self.rates = [group["lr"] for group in self.optimizer.param_groups]
        self.moving = [one for group in self.optimizer.param_groups for one in group["params"]]
        self.queue = torch.zeros(0, 3, device=self.device)
        self.curve: list[float] = []
        self.untrained = math.nan
        self.everything = float(plan.labels.weight.sum())
        self.rank, self.world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)

    def _optimizer(self) -> torch.optim.AdamW:
        own = self.recipe.tuning
        rate = own.learning_rate or LEARNING_RATE[self.recipe.name]
        heads = [one for one in self.network.heads.parameters() if one.numel()]
        known = {id(one) for one in self.network.heads.parameters()}
        rest = [one for one in self.network.parameters() if one.requires_grad and id(one) not in known]
        beside = [one for one in (self.learned.gamma, self.learned.tie) if one.numel()]
        groups = [
            {"params": rest, "lr": rate, "weight_decay": own.weight_decay},
            {"params": heads, "lr": own.head_learning_rate or HEAD_TIMES * rate, "weight_decay": own.weight_decay},
            {"params": beside, "lr": BESIDE_RATE, "weight_decay": 0.0},
        ]
        return torch.optim.AdamW([group for group in groups if group["params"]], fused=True)

    def all_steps(self, report: Report) -> None:
        """To the end; a checkpoint every `save_every` steps."""
        first = self._go_on()
        total, began, tokens = len(self.steps), time.monotonic(), [0, 0]
        self.network.train()
        for n in range(first, total):
            factor = self._schedule(n)
            for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
                group["lr"] = rate * factor
            found = self._step([self.plan.groups[k] for k in self.steps[n]], tokens)
            seen = self._look() if n + 1 in self.looks and self.rank == 0 else {}
            report("train", n + 1, total, self._metrics(n, found, tokens, time.monotonic() - began) | seen)
            if (n + 1) % self.recipe.tuning.save_every == 0 and n + 1 < total and self.rank == 0:
                self._save()
        self.network.eval()

    def _look(self) -> dict[str, float]:
        return watch.look(self.network, self.plan.inputs, self.held, self.recipe)

    def _schedule(self, n: int) -> float:
        """Rises over the warm-up, then falls to 0 on a line."""
        total = len(self.steps)
        warm = round(self.recipe.tuning.warmup * total)
        return (n + 1) / warm if n < warm else (total - n) / max(1, total - warm)

    def _step(self, groups: Sequence[Group], tokens: list[int]) -> Tensor:
        """One update; (3,) mean preference loss, right and decided verdicts."""
        picked = [n for group in groups for n in group.verdicts]
        examples = [n for group in groups for n in group.examples]
        totals = Totals.of(self.plan.labels.some(torch.tensor(picked)), self.plan.said.some(examples), self.everything)
        self.optimizer.zero_grad(set_to_none=True)
        found = torch.zeros(3, device=self.device)
        for n, piece in enumerate(self._pieces(groups)):
            if n % self.world == self.rank:
                found += self._piece([groups[k] for k in piece], totals, tokens)
        if self.world > 1:
            self._gather(found)
        norm = nn.utils.get_total_norm([one.grad for one in self.moving if one.grad is not None])
        if norm > self.recipe.tuning.clip:
            nn.utils.clip_grads_with_norm_(self.moving, self.recipe.tuning.clip, norm)
        self.optimizer.step()
        self.curve.append(float(found[0]))
        return found

    def _pieces(self, groups: Sequence[Group]) -> list[list[int]]:
        """Whole groups up to the budget, longest first; at least one piece for each of several devices."""
        sizes = [self.network.forwarded([self.plan.inputs[n] for n in group.examples])[0] for group in groups]
        order = sorted(range(len(groups)), key=lambda n: -sizes[n])
        budget = min(self.budget, -(-sum(sizes) // self.world))
        return [[order[n] for n in run] for run in batching.in_order([sizes[n] for n in order], budget)]

    def _piece(self, groups: Sequence[Group], totals: Totals, tokens: list[int]) -> Tensor:
        examples = [n for group in groups for n in group.examples]
        inputs = [self.plan.inputs[n] for n in examples]
        verdicts = torch.tensor([n for group in groups for n in group.verdicts], dtype=torch.long)
        labels = within(self.plan.labels.some(verdicts), examples, self.device)
        outputs = self.network(inputs)
        lengths = torch.tensor([float(one.tokens) for one in inputs])
        drawn = self.plan.drawn[:, verdicts].to(self.device)
        known = self.plan.said.some(examples)
        parts = (labels, drawn, known, lengths, self.learned, self.recipe, totals, self.queue)
        total, preference, self.queue = joint.loss(self.network, outputs, *parts)
        total.backward()
        for k, count in enumerate(self.network.forwarded(inputs)):
            tokens[k] += count
        scores = ensemble.combine(outputs.members.detach(), self.recipe.extras)
        if math.isnan(self.untrained):
            self.untrained = self._untrained(scores, examples)
        return torch.stack([preference, *right(scores, labels)])

    def _untrained(self, scores: Tensor, examples: Sequence[int]) -> float:
        """The loss before the first step, on its pairs: ln 2 unless the start was a trained one."""
        pairs = self.plan.pairs
        inside = torch.isin(pairs.members, torch.tensor(examples)).all(1)
        if not inside.any():
            return math.nan
        return objectives.untrained(scores.cpu(), within(pairs.some(inside), examples))

    def _gather(self, found: Tensor) -> None:
        """Sums of gradients and counts over all devices."""
        for one in self.moving:
            one.grad = torch.zeros_like(one) if one.grad is None else one.grad
        flat = torch.cat([found, *(one.grad.flatten() for one in self.moving)])
        dist.all_reduce(flat)
        found.copy_(flat[: len(found)])
        parts = flat[len(found) :].split([one.numel() for one in self.moving])
        for one, part in zip(self.moving, parts, strict=True):
            one.grad.copy_(part.view_as(one))

    def _metrics(self, n: int, found: Tensor, tokens: Sequence[int], seconds: float) -> dict[str, float]:
        loss, correct, decided = found.tolist()
        useful, padded = tokens
        return {
            "loss": loss,
            "accuracy": correct / decided if decided else math.nan,
            "step": n + 1,
            "epoch": (n + 1) * self.recipe.tuning.epochs / len(self.steps),
            "tokens_per_second": useful * self.world / max(seconds, 1e-9),
            "padding": 1 - useful / max(padded, 1),
            "memory_mb": memory_mb(self.device),
            "learning_rate": self.optimizer.param_groups[0]["lr"],
        }

    # ---- Checkpoints

    def _fingerprint(self) -> str:
        return self.plan.fingerprint(self.recipe, self.network.backbone.hash)

    def _save(self) -> None:
        weights = {f"weights.{name}": p for name, p in self.network.named_parameters() if p.requires_grad}
        beside = {"beside.gamma": self.learned.gamma, "beside.tie": self.learned.tie, "queue": self.queue}
        tensors = weights | beside | resume.moments(self.optimizer) | resume.randomness()
        said = {"step": len(self.curve), "curve": self.curve, "untrained": self.untrained}
        resume.write(self.folder, tensors, said | {"fingerprint": self._fingerprint()})

    def _go_on(self) -> int:
        """The step to go on with; 0 from the beginning."""
        found = resume.read(self.folder, self._fingerprint())
        if not found:
            return 0
        tensors, said = found
        for name, parameter in self.network.named_parameters():
            if parameter.requires_grad:
                parameter.data.copy_(tensors[f"weights.{name}"])
        self.learned.gamma.data.copy_(tensors["beside.gamma"])
        self.learned.tie.data.copy_(tensors["beside.tie"])
        self.queue = tensors["queue"].to(self.device)
        resume.set_moments(self.optimizer, tensors)
        resume.set_randomness(tensors)
        self.curve, self.untrained = said["curve"], said["untrained"]
        return said["step"]

    def info(self) -> dict[str, object]:
        """What is worth knowing of the fit, under the names of outcome.info."""
        gamma, threshold = self.learned.gamma.detach().cpu(), float(self.learned.threshold.detach())
        davidson = self.recipe.preference.objective == "davidson"
        said = {
            "order_gamma": float(gamma[0]) if len(gamma) else 0.0,
            "loss": self.curve,
            "step0_loss": self.untrained,
        } | ({"tie_nu": threshold} if davidson else {"tie_theta": math.exp(threshold)})
        if len(gamma) > 1:
            each = (gamma[0] + gamma[1:]).tolist()
            said["order_by_rater"] = dict(zip(self.plan.labels.raters, each, strict=True))
        return said


def right(scores: Tensor, labels) -> tuple[Tensor, Tensor]:
    """Verdicts whose choice has the highest score, and verdicts that chose one at all; order effects left out."""
    there = labels.members >= 0
    values = scores[labels.members.clamp(min=0)].masked_fill(~there, -math.inf)
    top = labels.target.topk(2, dim=1).values
    decided = top[:, 0] > top[:, 1]
    hit = values.argmax(1) == labels.target.argmax(1)
    return (hit & decided).sum(), decided.sum()


def memory_mb(device: torch.device) -> float:
    """Peak memory of this process, on the accelerator when there is one."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
