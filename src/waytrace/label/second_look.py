"""Causes looked at again: where the certificate alone cannot tell, the expert is asked what it would do without them.

A certificate tells what bound, and to first order what each thing cost. Where several stand in the way of the same
plan (a stream of traffic, two who block a lane), what taking one of them away would change is more than it can say:
the next one takes the place of the first. So the roles of such causes come from asking, by their very definition:
proximate and joint causes move the plan alone, overdetermining ones only together.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import cached_property

from waytrace.observe import Reference, ReferenceKind
from waytrace.planners import Certificate, Choice
from waytrace.trace import Cause, sets
from waytrace.trace.compatible import CAUSES

from .asking import Asker, Question, differ, opens
from .decisions import Decided
from .fitting import fitting
from .without import only, testable

MOST_ASKED = 3
"""Others that are tried as a second member of a set."""

MOST_BYSTANDERS = 10
"""Agents that are tried one by one where what is cited does not explain the plan."""

SURE_MPS = 1.0
"""A proximate cause that costs so much mean speed is not asked about where it stands alone."""


class SecondLook:
    """The questions about one decision, each asked once."""

    def __init__(self, asker: Asker, question: Question, certificate: Certificate) -> None:
        self._asker, self._question, self._certificate = asker, question, certificate
        self._moved: dict[frozenset[Cause], bool] = {}

    @cached_property
    def _choice(self) -> Choice:
        return self._certificate.chosen

    def moves(self, causes: Collection[Cause]) -> bool:
        """Whether the plan is another one without some causes."""
        key = frozenset(replace(c, role="joint", share_bin=0, slack_bin=0) for c in causes)
        if key not in self._moved:
            self._moved[key] = differ(*self._asker.undone(self._question, causes))
        return self._moved[key]

    def revised(self, causes: Sequence[Cause], found: Decided, end_lane: Reference | None) -> list[Cause]:
        """The causes with the roles that they have; ``end_lane`` is where the plan leads to, if one can point at it."""
        speed = [c for c in causes if c.axis == "longitudinal" and c.role != "enabling"]
        across = [c for c in causes if c.axis == "lateral" and c.role != "enabling"]
        barring = [c for c in causes if c.role == "enabling"]
        if self._doubtful(speed):
            speed = self._speed(speed, found)
        if any(c.ref.kind == ReferenceKind.AGENT for c in across):
            across = self._across(across, found)
        barring = [c for c in barring if not testable(c) or self._opens(c)]
        if found.lateral != "keep" and not across and not any(c.axis == "lateral" for c in barring):
            named = [c for c in causes if c.axis == "lateral"]
            barring = [_route(end_lane), *barring] if end_lane is not None else [*named[:1], *barring]
        kept = fitting([*speed, *across, *barring], found)
        return self._completed(kept) if self._hemmed_in(found) else kept

    def _hemmed_in(self, found: Decided) -> bool:
        """Whether others than those cited could well have a part in it: someone bars a way out, or it goes aside."""
        barred = any(r.axis == "lateral" and r.violates for r in self._certificate.rejected)
        slow = found.longitudinal not in sets.FREE
        return (slow and barred) or found.lateral.startswith(("nudge", "lane_change", "merge", "split"))

    def _completed(self, causes: list[Cause]) -> list[Cause]:
        """With those added, where there is room, who take part in it: with what is cited and nobody else about, the
        plan would be another one, and with them it is the same.
        """
        out = list(causes)
        while len(out) < sets.MOST_CAUSES:
            apart = self._apart_with(out)
            if not differ(*apart):
                return out
            tried = [(self._apart_with([*out, one]), one) for one in self._bystanders(out)]
            nearer = [(sum(each), k) for k, (each, _) in enumerate(tried) if sum(each) < 0.5 * sum(apart)]
            if not nearer:
                return causes
            out.append(tried[min(nearer)[1]][1])
        return out if not differ(*self._apart_with(out)) else causes

    def _apart_with(self, causes: Sequence[Cause]) -> tuple[float, float]:
        return self._asker.moved(self._question, only(self._question.scene, {c.ref for c in causes}))

    def _bystanders(self, known: Sequence[Cause]) -> list[Cause]:
        """Agents that are not cited, as enabling causes: those who bar something first, then the nearest."""
        cited = {c.ref for c in known}
        out: dict[Reference, Cause] = {}
        for r in self._certificate.rejected:
            ref = r.reference
            if ref is None or ref.kind != ReferenceKind.AGENT or ref in cited or not r.violates:
                continue
            if r.violates in CAUSES[r.axis, ref.kind]:
                out.setdefault(ref, Cause(ref, r.axis, "enabling", r.violates, 0, 0))
        agents = self._question.scene.agents
        for index in agents.index[agents.in_arrays][:MOST_BYSTANDERS]:
            ref = Reference(ReferenceKind.AGENT, int(index))
            if ref not in cited:
                out.setdefault(ref, Cause(ref, "lateral", "enabling", "merge_gap", 0, 0))
        return list(out.values())[:MOST_BYSTANDERS]

    def idle(self, causes: Sequence[Cause]) -> bool:
        """Whether all that is said to hold the speed back can go and the plan stays: it is a free drive, then."""
        speed = [c for c in causes if c.axis == "longitudinal" and c.role != "enabling"]
        return bool(speed) and self._doubtful(speed) and all(map(testable, speed)) and not self.moves(speed)

    def _doubtful(self, speed: Sequence[Cause]) -> bool:
        """Whether the causes of the speed are worth asking about: several, or one that costs little."""
        asked = [c for c in speed if testable(c)]
        if not asked:
            return False
        lost = {c.reference: c.lost_mps for c in self._choice.constraints}
        return len(speed) > 1 or lost.get(asked[0].ref, 0.0) < SURE_MPS or asked[0].constraint == "merge_gap"

    def _speed(self, speed: Sequence[Cause], found: Decided) -> list[Cause]:
        alone = [c for c in speed if not testable(c) or self.moves([c])]
        rest = [c for c in speed if c not in alone]
        if found.longitudinal in sets.FREE:
            return alone
        if alone:
            return [*_ranked(alone), *self._together(rest, self._others(speed))]
        return self._together(rest, self._others(speed)) or list(speed)

    def _together(self, named: Sequence[Cause], others: Sequence[Cause]) -> list[Cause]:
        """The smallest set with the first of ``named`` in it whose going moves the plan; empty for none."""
        if not named:
            return []
        first, more = named[0], [*named[1:], *others]
        for size in range(1, MOST_ASKED + 1):
            for members in itertools.islice(itertools.combinations(more, size), MOST_ASKED):
                if self.moves([first, *members]):
                    return [replace(c, role="overdetermining") for c in (first, *members)]
        return []

    def _others(self, known: Iterable[Cause]) -> list[Cause]:
        """Agents on the chosen path that bind in another's place."""
        cited = {c.ref for c in known}
        out = []
        for c in sorted(self._choice.constraints, key=lambda c: (c.binds_at_s, c.accel_mps2)):
            able = CAUSES.get(("longitudinal", c.reference.kind), ())
            if c.reference.kind == ReferenceKind.AGENT and c.reference not in cited and c.name in able:
                cited.add(c.reference)
                out.append(Cause(c.reference, "longitudinal", "joint", c.name, 0, sets.SLACK.number(c.slack_mps2)))
        return out[:MOST_ASKED]

    def _across(self, across: Sequence[Cause], found: Decided) -> list[Cause]:
        if len(across) > 1 and self.moves(across):
            alone = [c for c in across if self.moves([c])]
            return _ranked(alone) if alone else [replace(c, role="overdetermining") for c in across]
        alone = [c for c in across if not testable(c) or self.moves([c])]
        if alone or not found.lateral.startswith(("lane_change", "merge", "split")):
            return _ranked(alone) if alone else list(across)
        return []

    def _opens(self, cause: Cause) -> bool:
        return opens(self._asker, self._question, self._certificate, cause)


def _ranked(causes: Sequence[Cause]) -> list[Cause]:
    """The first as the proximate cause, the others as adding to it."""
    return [replace(c, role="proximate" if k == 0 else "joint") for k, c in enumerate(causes)]


def _route(lane: Reference) -> Cause:
    return Cause(lane, "lateral", "enabling", "route_feasibility", 0, 0)
