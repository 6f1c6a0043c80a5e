"""A version's steps as people read them."""

from django import template

from worker.rm.transforms import FORMULAS, Formula
from worker.templatetags.numbers import decimals

register = template.Library()


@register.filter
def formula(step: dict) -> Formula:
    """Title, text and source of a step."""
    return FORMULAS[step["name"]]


@register.filter
def settings_of(step: dict) -> str:
    """mean = 0.25, sd = 1.50; whose answers are compared with, and how"""
    values = {name: value for name, value in step.items() if name not in ("name", "source", "of", "quantile")}
    said = [f"{name} = {decimals(value, 4)}" for name, value in values.items() if value is not None]
    if "of" in step:
        how = f"the {step['quantile']:g} quantile" if step["of"] == "quantile" else "the mean"
        said.append(f"r_ref: {how} over answers of {step['source'] or 'everybody'}")
    return ", ".join(said)
