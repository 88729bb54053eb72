"""What a run would ask and cost, before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass

from .asking import PROBE
from .cost import Usage, cost, likely_input, most_input
from .request import request_of
from .rows import Price
from .run import Target


@dataclass(frozen=True)
class Planned:
    """What a run asks of one family."""

    family: str
    items: int
    epochs: int
    likely_input: int
    """Tokens of all its samples, by size."""
    most_output: int
    """Tokens, thinking included, if every answer is as long as it may be."""
    likely: float
    """Cost in the price's currency: input by size, answers a quarter as long as they may be."""
    most: float
    """Cost if every byte were a token and every answer as long as it may be."""

    @property
    def samples(self) -> int:
        """How many requests are sent if none fails."""
        return self.items * self.epochs


def plan_of(target: Target, price: Price | None) -> list[Planned]:
    """What a target would be asked, family by family, the probes last; cost 0 where no price is known."""
    asked = {name: [i for f, i in target.items() if f.name == name] for name in target.families}
    rows = [(name, items, target.settings.epochs_of(name)) for name, items in asked.items()]
    rows.append((PROBE.family, [PROBE], target.settings.probes))
    found = []
    for name, items, epochs in rows:
        requests = [request_of(item, target.provider, target.model, target.settings) for item in items]
        sizes = [(r.size, r.most_tokens) for r in requests]
        likely = [Usage(likely_input(size), 0, most // 4, 0) for size, most in sizes]
        worst = [Usage(most_input(size), 0, most, 0) for size, most in sizes]
        found.append(
            Planned(
                name, len(items), epochs, epochs * sum(u.input for u in likely), epochs * sum(u.output for u in worst),
                epochs * sum(cost(u, price) for u in likely) if price else 0.0,
                epochs * sum(cost(u, price) for u in worst) if price else 0.0,
            )
        )  # fmt: skip
    return found
