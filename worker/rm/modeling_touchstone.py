"""A reward model that pools its own way: one score of a prompt and a response. It needs transformers and torch alone.

This file lies in the folders of exported versions, and is loaded with trust_remote_code=True. It imports what
transformers 4 and 5 both have, since RewardBench 0.1.4 holds to 4.51.
"""

import inspect

import torch
from torch import nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput


class TouchstoneConfig(PretrainedConfig):
    """`backbone` is the configuration of the transformer underneath.

    pooling: mean, last or cls, of the mean of the last `layers`. parts: "whole" input and, where the head reads it,
    "response": the mean over the tokens between the last two `separator`s. hidden: units of an mlp beside the linear
    head, 0 for none. first_position: the position id of the first token.
    """

    model_type = "touchstone-reward"

    def __init__(
        self,
        backbone=None,
        pooling="mean",
        layers=1,
        parts=("whole",),
        separator=None,
        hidden=0,
        first_position=0,
        **more,
    ):
        self.backbone = backbone or {}
        self.pooling, self.layers, self.parts = pooling, layers, list(parts)
        self.separator, self.hidden, self.first_position = separator, hidden, first_position
        self.hidden_size = self.backbone.get("hidden_size")
        super().__init__(**more)


class TouchstoneForSequenceClassification(PreTrainedModel):
    """logits (rows, 1): the reward."""

    config_class = TouchstoneConfig
    base_model_prefix = "backbone"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_attention_backend = True

    def __init__(self, config):
        super().__init__(config)
        own = dict(config.backbone)
        self.backbone = AutoModel.from_config(AutoConfig.for_model(own.pop("model_type"), **own))
        if config.pooling != "cls" and getattr(self.backbone, "pooler", None) is not None:
            self.backbone.pooler = None
        width = len(config.parts) * config.hidden_size
        self.score = nn.Linear(width, 1)
        self.into = nn.Linear(width, config.hidden) if config.hidden else None
        self.out = nn.Linear(config.hidden, 1, bias=False) if config.hidden else None
        self.post_init()

    def _init_weights(self, module):
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.02)

    def get_input_embeddings(self):
        return self.backbone.get_input_embeddings()

    def forward(self, input_ids, attention_mask=None, labels=None, **ignored):
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        hidden = self._hidden(input_ids, mask)
        x = torch.cat([self._part(name, hidden, input_ids, mask) for name in self.config.parts], 1).float()
        logits = self.score(x)
        if self.into is not None:
            logits = logits + self.out(torch.tanh(self.into(x)))
        loss = None if labels is None else nn.functional.mse_loss(logits[:, 0], labels.view(-1).float())
        return SequenceClassifierOutput(loss=loss, logits=logits)

    def _hidden(self, input_ids, mask):
        """Mean of the last layers; positions are counted from each row's first token, wherever its padding is."""
        more = {}
        if "position_ids" in inspect.signature(self.backbone.forward).parameters:
            more["position_ids"] = (mask.cumsum(1) - 1).clamp(min=0) + self.config.first_position
        several = self.config.layers > 1
        found = self.backbone(input_ids=input_ids, attention_mask=mask, output_hidden_states=several, **more)
        return torch.stack(found.hidden_states[-self.config.layers :]).mean(0) if several else found.last_hidden_state

    def _part(self, name, hidden, input_ids, mask):
        """(rows, width)"""
        if name == "response":
            ends = (input_ids == self.config.separator) & (mask > 0)
            return _mean(hidden, (ends.flip(1).cumsum(1).flip(1) == 1) & ~ends & (mask > 0))
        if self.config.pooling == "mean":
            return _mean(hidden, mask > 0)
        first = mask.argmax(1)
        place = first if self.config.pooling == "cls" else first + mask.sum(1) - 1
        found = hidden[torch.arange(len(hidden), device=hidden.device), place]
        pooler = getattr(self.backbone, "pooler", None)
        if pooler is None:
            return found
        return torch.tanh(pooler(found)) if isinstance(pooler, nn.Linear) else pooler(found[:, None])


def _mean(hidden, chosen):
    """Of the chosen tokens; 0 where there is none."""
    weights = chosen.to(hidden.dtype)[..., None]
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)
