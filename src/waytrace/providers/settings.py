"""How a run asks: what is the same for every item of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .book import ProviderError
from .rows import Model

SAFETY_FAMILY, SAFETY_EPOCHS = "refusal", 5


@dataclass(frozen=True)
class Settings:
    """How a run asks."""

    epochs: int | None = None
    """How often each item is asked; None: three times, those of the refusal family five."""
    temperature: float = 0.0
    thinking: str | None = None
    """One of the model's modes; None leaves the vendor's default."""
    thinking_tokens: int = 8192
    """Room for thinking, on top of an item's own most tokens, where the model thinks."""
    attempts: int = 5
    """How often an item is asked at most while errors pass."""
    backoff_s: float = 1.0
    """Before the second attempt; twice that before each one more, up to a minute, or what the vendor asks for."""
    timeout_s: float = 300.0
    concurrency: int = 4
    probes: int = 3
    """Streamed requests that measure the time to the first token."""

    def __post_init__(self) -> None:
        """Raise :class:`ProviderError` where a setting makes no sense."""
        least = {"epochs": 1, "attempts": 1, "concurrency": 1, "probes": 0, "thinking_tokens": 0}
        for name, bound in least.items():
            value = getattr(self, name)
            if value is not None and value < bound:
                raise ProviderError(f"{name.replace('_', '-')} is {value}; it has to be {bound} or more.")
        if not 0.0 <= self.temperature <= 2.0:
            raise ProviderError(f"The temperature is {self.temperature}; it lies between 0 and 2.")

    def epochs_of(self, family: str) -> int:
        """How often each item of a family is asked."""
        return self.epochs or (SAFETY_EPOCHS if family == SAFETY_FAMILY else 3)

    def body_of(self, model: Model) -> dict[str, Any]:
        """What to send so that the model thinks as asked. Raises :class:`ProviderError` where it cannot."""
        if self.thinking is None:
            return {}
        if self.thinking in model.modes:
            return dict(model.modes[self.thinking])
        there = f"there is {', '.join(model.modes)}" if model.modes else "the table knows no switch for it"
        always = " always thinks:" if model.thinks == "always" else " cannot think so:"
        raise ProviderError(f"{model.id}{always} {there}, not {self.thinking!r}.")

    def most_tokens(self, model: Model, answer: int) -> int:
        """Bound on answer and thinking of one request."""
        thinks = model.thinks == "always" or (model.thinks == "switch" and self.thinking != "off")
        return answer + (self.thinking_tokens if thinks else 0)

    def to_json(self) -> dict[str, Any]:
        """Plain values, for the run's folder; without the concurrency, which changes no answer."""
        return {name: value for name, value in asdict(self).items() if name != "concurrency"}
