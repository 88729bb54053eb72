"""What a planner claims to be moved by: of a trace its causes, of a black box what it was found to look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from waytrace.observe import Reference, ReferenceKind
from waytrace.trace import Trace, sets

from .edits import Element, element_of


@dataclass(frozen=True)
class Group:
    """Causes to be undone together: one, or a set that overdetermines the plan."""

    elements: frozenset[Element]
    axis: str
    """``longitudinal`` or ``lateral``; empty where nothing is said of it."""
    role: str = "proximate"


@dataclass(frozen=True)
class Claim:
    """What is cited at one moment."""

    groups: tuple[Group, ...] = ()
    """Each has to move the plan: necessity."""
    enabling: frozenset[Element] = frozenset()
    """Said to bar an option, not to move the plan."""
    untested: tuple[str, ...] = field(default=(), compare=False)
    """Cited and beyond what can be undone: routes, ends of lanes."""
    owes: bool = False
    """Whether the decision needs a cause: it is neither a free drive nor keeping the lane alone."""

    @property
    def elements(self) -> frozenset[Element]:
        """Everything that is cited and can be undone."""
        return frozenset(e for group in self.groups for e in group.elements) | self.enabling

    @property
    def cites(self) -> bool:
        """Whether any cause is named, in whatever role, whether or not it can be undone."""
        return bool(self.elements or self.untested)

    @property
    def agents(self) -> frozenset[Reference]:
        """Agents that are cited, in whatever role."""
        return frozenset(e.ref for e in self.elements if e.ref.kind == ReferenceKind.AGENT)

    @property
    def answers(self) -> bool:
        """Whether sufficiency is asked: something is said to move the plan, or should have been said."""
        return bool(self.groups) or (self.owes and not self.untested)


def alone(elements: Iterable[Element], axis: str = "") -> tuple[Group, ...]:
    """A group of each, in a fixed order."""
    return tuple(Group(frozenset({e}), axis) for e in sorted(set(elements)))


def claim_of(trace: Trace) -> Claim:
    """The causes of a trace: proximate and joint ones each by itself, overdetermining ones of an axis together."""
    groups: list[Group] = []
    together: dict[str, list[Element]] = {}
    enabling: set[Element] = set()
    untested: list[str] = []
    for cause in trace.decision.causes:
        element = element_of(cause)
        if cause.role == "enabling":
            enabling |= {element} if element is not None else set()
        elif element is None:
            untested.append(f"{cause.constraint} at {cause.ref}")
        elif cause.role == "overdetermining":
            together.setdefault(cause.axis, []).append(element)
        else:
            groups.append(Group(frozenset({element}), cause.axis, cause.role))
    groups += [Group(frozenset(members), axis, "overdetermining") for axis, members in together.items()]
    once = {group.elements: group for group in reversed(groups)}  # cited on both axes: put to one test
    ordered = sorted(once.values(), key=groups.index)
    cited = {e for group in ordered for e in group.elements}
    d = trace.decision
    owes = d.longitudinal not in sets.FREE or d.lateral != "keep"
    return Claim(tuple(ordered), frozenset(enabling - cited), tuple(untested), owes)


def attributed(elements: Sequence[Element], moved_m: Sequence[float], least_m: float) -> Claim:
    """The claim of a black box: everything whose covering, alone, moves the plan by more than ``least_m``."""
    return Claim(alone(e for e, moved in zip(elements, moved_m, strict=True) if moved > least_m))
