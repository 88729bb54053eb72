"""What a planner claims to be moved by: of a trace its causes, of a black box what it was found to look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from waytrace.observe import Reference, ReferenceKind
from waytrace.trace import Cause, Trace, sets

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
    """Cited, and no more: said to bar an option and not to move the plan, or of a set that cannot be undone whole."""
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
    """The causes of a trace: proximate and joint ones each by itself, overdetermining ones of an axis together.

    A set of which a member cannot be undone is not undone without it: what is left need not move the plan.
    """
    groups: list[Group] = []
    together: dict[str, list[Cause]] = {}
    beside: set[Element] = set()
    untested: list[str] = []
    for cause in trace.decision.causes:
        element = element_of(cause)
        if cause.role == "enabling":
            beside |= {element} if element is not None else set()
        elif cause.role == "overdetermining":
            together.setdefault(cause.axis, []).append(cause)
        elif element is None:
            untested.append(_named(cause))
        else:
            groups.append(Group(frozenset({element}), cause.axis, cause.role))
    for axis, causes in together.items():
        members = [e for e in map(element_of, causes) if e is not None]
        if len(members) == len(causes):
            groups.append(Group(frozenset(members), axis, "overdetermining"))
        else:
            untested += [_named(c) for c in causes if element_of(c) is None]
            beside |= set(members)
    once = {group.elements: group for group in reversed(groups)}  # cited on both axes: put to one test
    ordered = sorted(once.values(), key=groups.index)
    cited = {e for group in ordered for e in group.elements}
    d = trace.decision
    owes = d.longitudinal not in sets.FREE or d.lateral != "keep"
    return Claim(tuple(ordered), frozenset(beside - cited), tuple(untested), owes)


def _named(cause: Cause) -> str:
    return f"{cause.constraint} at {cause.ref}"


def attributed(elements: Sequence[Element], moved_m: Sequence[float], least_m: float) -> Claim:
    """The claim of a black box: everything whose covering, alone, moves the plan by more than ``least_m``."""
    return Claim(alone(e for e, moved in zip(elements, moved_m, strict=True) if moved > least_m))
