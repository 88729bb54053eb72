"""The rules of causes: how many a decision needs, and which may follow those already given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from waytrace.observe import ReferenceKind

from . import sets
from .compatible import CAUSES
from .present import Present

SUFFICIENT = ("proximate", "overdetermining")
"""Roles of which a decision that is not free needs one on its axis."""


@dataclass
class Ledger:
    """What has been given as causes so far, for a decision.

    A longitudinal decision that is not free needs a proximate or overdetermining longitudinal cause; a lateral one
    other than keep a lateral cause, of whatever role. An axis has at most one proximate cause, and overdetermining
    ones come in twos or more.
    """

    longitudinal: str
    lateral: str
    given: dict[str, list[str]] = field(default_factory=lambda: {axis: [] for axis in sets.AXIS.values})

    @property
    def left(self) -> int:
        """How many more causes there is room for."""
        return sets.MOST_CAUSES - sum(map(len, self.given.values()))

    def needed(self, extra: tuple[str, str] | None = None) -> int:
        """The fewest causes that are still to come, after one more (axis, role) where given."""
        total = 0
        for axis in sets.AXIS.values:
            roles = [*self.given[axis], extra[1]] if extra and extra[0] == axis else self.given[axis]
            total += _missing(roles, self._wants(axis), any_role=axis == "lateral")
        return total

    def roles(self, axis: str) -> tuple[str, ...]:
        """Roles that the next cause of this axis can have."""
        return tuple(
            role
            for role in sets.ROLE.values
            if not (role == "proximate" and "proximate" in self.given[axis])
            and self.needed((axis, role)) <= self.left - 1
        )

    def axes(self, kind: ReferenceKind) -> tuple[str, ...]:
        """Axes on which something of this kind can be the next cause."""
        return tuple(axis for axis in sets.AXIS.values if (axis, kind) in CAUSES and self.roles(axis))

    def kinds(self) -> tuple[ReferenceKind, ...]:
        """Kinds of which something can be the next cause."""
        return tuple(kind for kind in ReferenceKind if self.left > 0 and self.axes(kind))

    def add(self, axis: str, role: str) -> None:
        """Take in a cause."""
        self.given[axis].append(role)

    def _wants(self, axis: str) -> bool:
        return self.longitudinal not in sets.FREE if axis == "longitudinal" else self.lateral != "keep"


def _missing(roles: Sequence[str], wanted: bool, *, any_role: bool) -> int:
    """The fewest causes that an axis with these roles still lacks."""
    if roles.count("overdetermining") == 1:
        return 1
    met = bool(roles) if any_role else any(role in SUFFICIENT for role in roles)
    return int(wanted and not met)


def decidable(present: Present) -> tuple[bool, bool]:
    """Whether the scene holds anything that could be a longitudinal, and a lateral, cause."""
    able = [present.has(tuple(kind for a, kind in CAUSES if a == axis)) for axis in sets.AXIS.values]
    return able[0], able[1]
