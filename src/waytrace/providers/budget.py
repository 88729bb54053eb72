"""A budget that is never exceeded: before a request is sent, the most that it can cost is set aside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .cost import Usage, cost, most_input, usage_of
from .request import Request
from .rows import Price


class BudgetSpentError(Exception):
    """The next request could cost more than is left."""


class Purse:
    """What may be spent, what is spent, and what is set aside for requests under way; in the price's currency.

    A request whose answer never came is counted in full: it may have been billed. A vendor that bills more than the
    bound (it counts tokens that no tokenizer makes) can exceed the budget by that one request; what follows stops.
    """

    def __init__(self, limit: float, price: Price | None, spent: float = 0.0) -> None:
        """``price``: None for an endpoint of one's own, where nothing is billed."""
        self.limit = limit
        self.price = price
        self.spent = spent
        self._aside = 0.0

    def most(self, request: Request) -> float:
        """The most that a request can cost: a token for every byte of the prompt, every token of the answer."""
        if self.price is None:
            return 0.0
        return cost(Usage(most_input(request.size), 0, request.most_tokens, 0), self.price)

    def reserve(self, request: Request) -> float:
        """Set aside the most that a request can cost; that amount. Raises :class:`BudgetSpentError`."""
        amount = self.most(request)
        if self.spent + self._aside + amount > self.limit:
            unit = self.price.currency if self.price else ""
            under_way = f", {self._aside:.4f} set aside for requests under way" if self._aside else ""
            raise BudgetSpentError(
                f"the budget of {self.limit:g} {unit} does not hold another request: {self.spent:.4f} is spent"
                f"{under_way}, and the next may cost {amount:.4f}"
            )
        self._aside += amount
        return amount

    def settle(self, reserved: float, response: Mapping[str, Any] | None, *, answered: bool) -> float:
        """Give back what was set aside and count what a request cost; that amount.

        ``response`` None: an error that bills nothing if ``answered``, else a request that may have been billed. A
        response that does not say its usage counts in full.
        """
        self._aside -= reserved
        if self.price is None:
            paid = 0.0
        elif response is None:
            paid = 0.0 if answered else reserved
        else:
            usage = usage_of(response)
            paid = cost(usage, self.price) if usage else reserved
        self.spent += paid
        return paid
