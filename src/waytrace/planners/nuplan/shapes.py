"""What the look-alikes have in common: a clear answer where they look alike no longer, and enums equal by name."""

from __future__ import annotations

from enum import Enum
from typing import Any, Self

from waytrace.scenario import WaytraceError


class NuplanError(WaytraceError):
    """A planner written for nuPlan cannot be driven, or answered with no trajectory that could be."""


class Unsupported(NuplanError, AttributeError):  # noqa: N818 - nothing went wrong, it is not there
    """A planner asked for something of nuPlan that the adapter does not have. As an attribute it is simply absent."""


class LooksAlike:
    """Stands in for a class of nuPlan's; what it does not have raises :class:`Unsupported`, which names it.

    It never changes once made, so copies of a planner that hold it share it.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise Unsupported(
            f"the adapter's {type(self).__name__} has no {name!r}; docs/bring-your-own.md lists what there is of nuPlan"
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class ByName(Enum):
    """An enum whose members equal those of nuPlan's enum of the same name."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Enum) and (type(self).__name__, self.name) == (type(other).__name__, other.name)

    def __hash__(self) -> int:
        return hash(self.name)
