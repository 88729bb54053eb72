"""The rules of causes: how many a decision needs, and which may follow those already given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

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

    def needed(self) -> int:
        """The fewest causes that are still to come."""
        return _needed(self._wants, self._given)

    def roles(self, axis: str) -> tuple[str, ...]:
        """Roles that the next cause of this axis can have."""
        return _roles(self._wants, self._given, axis)

    def axes(self, kind: ReferenceKind) -> tuple[str, ...]:
        """Axes on which something of this kind can be the next cause."""
        return _axes(self._wants, self._given, kind)

    def kinds(self) -> tuple[ReferenceKind, ...]:
        """Kinds of which something can be the next cause."""
        return tuple(kind for kind in ReferenceKind if self.left > 0 and self.axes(kind))

    def add(self, axis: str, role: str) -> None:
        """Take in a cause."""
        self.given[axis].append(role)

    @property
    def _wants(self) -> _Wants:
        return self.longitudinal not in sets.FREE, self.lateral != "keep"

    @property
    def _given(self) -> _Given:
        return tuple(tuple(self.given[axis]) for axis in sets.AXIS.values)


_Wants = tuple[bool, bool]
"""Whether each axis needs a cause."""
_Given = tuple[tuple[str, ...], ...]
"""Roles of each axis's causes so far. What may follow depends on these alone, and there are few of them."""


@cache
def _needed(wants: _Wants, given: _Given) -> int:
    return sum(
        _missing(roles, wanted, any_role=axis == "lateral")
        for axis, roles, wanted in zip(sets.AXIS.values, given, wants, strict=True)
    )


@cache
def _roles(wants: _Wants, given: _Given, axis: str) -> tuple[str, ...]:
    left = sets.MOST_CAUSES - sum(map(len, given))
    out = []
    for role in sets.ROLE.values:
        after = tuple((*r, role) if a == axis else r for a, r in zip(sets.AXIS.values, given, strict=True))
        second = role == "proximate" and "proximate" in given[sets.AXIS.values.index(axis)]
        if not second and _needed(wants, after) <= left - 1:
            out.append(role)
    return tuple(out)


@cache
def _axes(wants: _Wants, given: _Given, kind: ReferenceKind) -> tuple[str, ...]:
    return tuple(axis for axis in sets.AXIS.values if (axis, kind) in CAUSES and _roles(wants, given, axis))


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
