"""How a reward model is made: every value that a training run reads, checked. PURE: no Django, no torch.

The web process builds forms from this, a job trains from it, a version keeps it whole. Formulas are shown where an
objective is chosen; the function of the same name is in objectives.py.
"""

from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, lt=0.5)]
Weight = Annotated[float, Field(ge=0, le=100)]
Precision = Annotated[float, Field(gt=0, le=1e9)]  # of a prior
Level = Annotated[float, Field(gt=0, lt=1)]


class Formula(NamedTuple):
    """What people see of an objective. Δ is score(first) − score(second), σ the logistic function."""

    title: str
    text: str  # for a terminal
    source: str
    latex: str  # for a page


# A new objective of pairs: a function of this name in objectives.py, its test, and its line here.
OBJECTIVES = {
    "bradley_terry": Formula(
        "Bradley–Terry",
        "−[p ln σ(Δ) + (1−p) ln σ(−Δ)]",
        "Bradley & Terry 1952",
        r"-\left[p \ln \sigma(\Delta) + (1-p) \ln \sigma(-\Delta)\right]",
    ),
    "margin": Formula(
        "Bradley–Terry with margin",
        "−ln σ(Δ − m), m by strength",
        "Llama 2, arXiv 2307.09288",
        r"-\ln \sigma(\Delta - m), \quad m \text{ by strength}",
    ),
    "scaled": Formula(
        "Scaled Bradley–Terry",
        "−m ln σ(Δ), m = strength",
        "HelpSteer2-Preference, arXiv 2410.01257",
        r"-m \ln \sigma(\Delta), \quad m = \text{strength}",
    ),
    "rao_kupper": Formula(
        "Rao–Kupper",
        "P(tie) = 1 − σ(Δ−α) − σ(−Δ−α)",
        "Rao & Kupper 1967; arXiv 2410.05328",
        r"P(\text{first}) = \sigma(\Delta - \alpha), \quad "
        r"P(\text{tie}) = 1 - \sigma(\Delta - \alpha) - \sigma(-\Delta - \alpha)",
    ),
    "davidson": Formula(
        "Davidson",
        "P(tie) = ν / (e^(Δ/2) + e^(−Δ/2) + ν)",
        "Davidson 1970",
        r"P(\text{first}) = \frac{e^{\Delta/2}}{e^{\Delta/2} + e^{-\Delta/2} + \nu}, \quad "
        r"P(\text{tie}) = \frac{\nu}{e^{\Delta/2} + e^{-\Delta/2} + \nu}",
    ),
    "plackett_luce": Formula(
        "Plackett–Luce",
        "−Σₖ [r_π(k) − ln Σ_{j≥k} e^{r_π(j)}]",
        "Plackett 1975; Luce 1959",
        r"-\sum_{k} \left[r_{\pi(k)} - \ln \sum_{j \ge k} e^{r_{\pi(j)}}\right]",
    ),
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Encoding(_Part):
    """From turns and response to token ids, and from hidden states to one vector."""

    template: Literal["plain", "chat"] = "plain"  # chat: the tokenizer's own chat template
    truncation: Literal["left", "middle", "drop"] = "left"  # where the prompt loses tokens; drop: leave the row out
    max_length: int | None = Field(None, ge=16, le=131_072)  # None: what the backbone can read, at most 512 or 2048
    pooling: Literal["auto", "last", "mean", "cls"] = "auto"  # auto: last where causal, else mean
    layers: int = Field(1, ge=1, le=8)  # mean of that many last layers


class Preference(_Part):
    """The loss on pairs (or rankings), and what is taken into account beside the two scores."""

    objective: str = "rao_kupper"  # a key of OBJECTIVES; without ties Rao–Kupper is Bradley–Terry
    soft_labels: bool = False  # raters of one pair become one label p = (wins + ½ ties) / n, counting n times
    smoothing: Share = 0.0  # ε: p becomes (1−ε)p + ε(1−p)
    centring: Weight = 0.0  # c · mean (r₁ + r₂)², arXiv 2312.09244 eq. 2
    order: Literal["none", "shared", "rater"] = "shared"  # learned favour of the response shown first; never scored
    reliability: bool = False  # weigh a verdict by its rater's reliability

    @model_validator(mode="after")
    def _known(self) -> "Preference":
        if self.objective not in OBJECTIVES:
            raise ValueError(f"There is no objective {self.objective!r}; there is {', '.join(OBJECTIVES)}.")
        return self


class Extras(_Part):
    """Further heads on the same backbone, and what becomes of the preference. A weight of 0 leaves a head out."""

    attributes: Weight = 1.0  # Σ_a mask (ŷ_a − y_a)² per rated criterion
    segments: Weight = 1.0  # balanced cross-entropy per span category at the end of each segment
    steps: Weight = 1.0  # cross-entropy of step labels −1, 0, 1
    step_aggregate: Literal["product", "min", "last"] = "product"
    quantiles: tuple[Level, ...] = Field((), max_length=32)  # pinball loss on the mean rating
    gate: bool = False  # the preference is a gated mixture of the attributes (ArmoRM, arXiv 2406.12845)
    # The criterion that measures length, taken out of the others before gating.
    verbosity: str = Field("", max_length=60, pattern=r"\A[^\x00]*\z")
    odin: bool = False  # two heads, quality and length; length is dropped at scoring (arXiv 2402.07319)
    length_calibration: bool = False  # subtract the LOWESS of score on length, fitted on the training responses
    members: int = Field(1, ge=1, le=16)  # heads that differ by the prompts they drew, and by start or order
    combine: Literal["mean", "wco", "uwo", "quantile"] = "mean"  # of the members: arXiv 2310.02743
    uwo_weight: Weight = 0.5  # λ of mean − λ·variance
    quantile: float = Field(0.25, gt=0, lt=1)  # of combine="quantile"

    @model_validator(mode="after")
    def _goes_together(self) -> "Extras":
        if self.gate and (self.odin or self.members > 1):
            raise ValueError("A gate is in place of the preference head, so it has neither members nor a length head.")
        if len(set(self.quantiles)) < len(self.quantiles):
            raise ValueError("A quantile stands there twice.")
        return self


class Heads(_Part):
    """Heads on frozen, cached embeddings."""

    head: Literal["logistic", "ridge", "mlp"] = "logistic"  # ridge: least squares of Δ on 4(p − ½), whatever objective
    hidden: int = Field(64, ge=4, le=1024)  # width of the mlp
    rule: Literal["sentence", "subsentence"] = "sentence"  # how responses are cut into segments
    parts: tuple[Literal["embeddings", "surface", "cosines", "segments"], ...] = (
        "embeddings",
        "surface",
        "cosines",
        "segments",
    )
    folds: int = Field(5, ge=2, le=20)  # for cross-fitting and for choosing the prior's strength, by prompt
    l2: tuple[Precision, ...] = Field((3.0, 30.0, 300.0), min_length=1, max_length=20)  # of the preference: to choose
    segment_l2: Precision = 10.0
    attribute_l2: Precision = 30.0
    embedding_share: float = Field(1.0, gt=0, le=1e6)  # prior sd of a whole embedding, relative to one feature


class Tuning(_Part):
    """How weights of the backbone are moved (trainers lora and full)."""

    epochs: int = Field(1, ge=1, le=100)
    learning_rate: float | None = Field(None, gt=0, le=1)  # None: 1e-5 for full, 1e-4 for lora
    head_learning_rate: float | None = Field(None, gt=0, le=1)  # None: ten times the other
    warmup: float = Field(0.1, ge=0, le=1)  # share of the steps; then it falls linearly to 0
    weight_decay: float = Field(0.0, ge=0, le=1)
    clip: float = Field(1.0, gt=0, le=1e9)
    pairs_per_step: int = Field(16, ge=1, le=4096)
    token_budget: int | None = Field(None, ge=64, le=2**24)  # padded tokens of one forward; None: by the device
    bf16: bool = False  # the backbone; heads and losses stay in float32
    checkpointing: bool = False  # less memory, about 30 % more time
    shared_prefix: bool = False  # causal backbones: the prompt of a group is read once
    compile: bool = False
    freeze_embeddings: bool = False
    lora_rank: int = Field(16, ge=1, le=512)
    lora_alpha: float = Field(32.0, gt=0, le=1e6)
    lora_dropout: float = Field(0.0, ge=0, lt=1)
    save_every: int = Field(50, ge=1, le=10**9)  # steps between checkpoints, from which a killed run goes on
    seed: int = Field(0, ge=0, lt=2**32)


class Recipe(_Part):
    """All of it. `name` is the trainer."""

    name: Literal["heads", "lora", "full"] = "heads"
    encoding: Encoding = Encoding()
    preference: Preference = Preference()
    extras: Extras = Extras()
    heads: Heads = Heads()
    tuning: Tuning = Tuning()

    @model_validator(mode="after")
    def _linear_odin(self) -> "Recipe":
        if self.name == "heads" and self.extras.odin and self.heads.head == "mlp":
            raise ValueError("ODIN parts two linear heads: choose a logistic or a ridge head with it.")
        return self
