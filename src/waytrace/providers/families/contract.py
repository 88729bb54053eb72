"""What a family of items is: its items, a pure scorer, and scripted answers that bracket the scorer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol

Skill = Literal["perfect", "poor"]
"""A scripted model: one that answers every item as it should, and one that answers as a bad model would."""


@dataclass(frozen=True)
class Message:
    """One turn of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Item:
    """One question to a model."""

    id: str
    """Unique over all families: ``tools/nested-03``."""
    family: str
    prompt: tuple[Message, ...]
    tools: tuple[dict[str, Any], ...] = ()
    """Functions that the model may call: each with ``name``, ``description`` and ``parameters`` (a JSON Schema)."""
    schema: dict[str, Any] | None = None
    """JSON Schema of the structured output that is asked for; None where the answer is free text or calls."""
    most_tokens: int = 2048
    """Most tokens of the answer, thinking not included."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """What the scorer needs, and what reports group by. It is never shown to the model."""


@dataclass(frozen=True)
class Call:
    """One call of a tool, as the model wrote it."""

    name: str
    arguments: dict[str, Any] | None
    """None where ``raw`` is no JSON object."""
    raw: str = ""


@dataclass(frozen=True)
class Reply:
    """What came back for an item, thinking taken off."""

    text: str
    calls: tuple[Call, ...] = ()
    finish: str = "stop"
    """Why the model stopped: ``stop``, ``length``, ``tool_calls`` or what else the vendor says."""


class Outcome(StrEnum):
    """How a sample ended. Scorers say the first three only; the other two are not the model's doing."""

    PASS = "pass"
    FAIL = "fail"
    REFUSAL = "refusal"
    """The model itself declined."""
    MODERATION = "moderation"
    """The vendor's filter stopped the request or the answer."""
    INFRASTRUCTURE = "infrastructure"
    """No answer came."""


@dataclass(frozen=True)
class Verdict:
    """One reply judged."""

    outcome: Outcome
    score: float
    """From 0 to 1; what is partly right has a score between and still the outcome ``fail``."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Plain JSON values: what was found, what was missed, and why."""


class Family(Protocol):
    """A set of items with one scorer."""

    @property
    def name(self) -> str:
        """One of ``NAMES``."""
        ...

    @property
    def version(self) -> str:
        """Changes with every item and with the scorer: results of two versions are not compared."""
        ...

    def items(self) -> Sequence[Item]:
        """The items, in a fixed order."""
        ...

    def score(self, item: Item, reply: Reply) -> Verdict:
        """The verdict on a reply: a pure function of the two."""
        ...

    def scripted(self, item: Item, skill: Skill) -> Reply:
        """What a perfect, or a poor, model answers."""
        ...
