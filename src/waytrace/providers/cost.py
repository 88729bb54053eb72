"""What a request costs, and what it could cost at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .rows import Price

MESSAGE_TOKENS = 64
"""More than any chat template was seen to add for a request of a few messages."""


@dataclass(frozen=True)
class Usage:
    """Tokens of one request, as the vendor counted them."""

    input: int
    """All of the prompt, cached tokens included."""
    cached: int
    """Of ``input``."""
    output: int
    """Thinking included."""
    reasoning: int
    """Of ``output``."""


def usage_of(reply: Mapping[str, Any]) -> Usage | None:
    """The usage of an OpenAI-compatible response; None where it says nothing, or nonsense.

    A vendor that counts thinking beside its answer, so that the total exceeds prompt and completion, has the
    difference added to the output: what was billed is counted.
    """
    said = reply.get("usage")
    if not isinstance(said, Mapping):
        return None
    prompt, completion = _count(said, "prompt_tokens"), _count(said, "completion_tokens")
    if prompt is None or completion is None:
        return None
    total = _count(said, "total_tokens") or 0
    reasoning = _count(said.get("completion_tokens_details"), "reasoning_tokens") or 0
    cached = _count(said.get("prompt_tokens_details"), "cached_tokens") or 0
    output = max(completion, total - prompt)
    return Usage(prompt, min(cached, prompt), output, min(reasoning, output))


def cost(usage: Usage, price: Price) -> float:
    """What a request costs, in the price's currency."""
    rates: Any = price
    for tier in sorted(price.tiers, key=lambda t: t.above_input_tokens):
        if usage.input > tier.above_input_tokens:
            rates = tier
    fresh = usage.input - usage.cached
    return float(fresh * rates.input + usage.cached * rates.cached + usage.output * rates.output) / 1e6


def most_input(texts: int) -> int:
    """The most tokens that a prompt of so many UTF-8 bytes can be: no token is shorter than a byte."""
    return texts + MESSAGE_TOKENS


def likely_input(texts: int) -> int:
    """About how many tokens a prompt of so many UTF-8 bytes is: English and code take four bytes a token."""
    return texts // 4 + MESSAGE_TOKENS


def _count(holder: object, key: str) -> int | None:
    value = holder.get(key) if isinstance(holder, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
