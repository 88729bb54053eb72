"""Roles of causes, from what constraints allow along a drive."""

import math
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np

from waytrace.label.causes import MOVED_M, _stream, gain_m, overdetermining
from waytrace.label.decisions import FREE_MPS, costly, with_reason
from waytrace.observe import Reference, ReferenceKind
from waytrace.planners import Constraint, Rejected

AGENT, LANE = ReferenceKind.AGENT, ReferenceKind.LANE


def constraint(name, kind, number, allowed, lost=0.0, binds=math.inf):
    column = np.full(17, math.inf) if allowed is None else np.full(17, float(allowed))
    return Constraint(name, Reference(kind, number), float(column[0]), 0.0, binds, lost, column)


def choice(*constraints):
    plan = SimpleNamespace(start=np.array([0.0, 0.0, 0.0, 10.0]), waypoints=np.full((16, 4), 10.0))
    return SimpleNamespace(constraints=constraints, plan=plan)


@dataclass(frozen=True)
class Braked:
    """What of a choice is read here."""

    constraints: tuple
    plan: SimpleNamespace
    sideways: str = "keep"
    lane: int = 3
    offset_m: float = 0.0


CAP = constraint("speed_cap", LANE, 0, 2.0)


def test_taking_away_what_binds_alone_gains_way():
    lead = constraint("headway", AGENT, 1, -1.0, lost=3.0, binds=0.0)
    assert gain_m(choice(CAP, lead), [lead]) > MOVED_M
    assert gain_m(choice(CAP, lead), [CAP]) == 0.0


def test_two_that_bind_alike_overdetermine_and_neither_does_alone():
    one = constraint("headway", AGENT, 1, -1.0, lost=2.0, binds=0.0)
    two = constraint("cross_conflict", AGENT, 2, -1.0)
    made = choice(CAP, one, two)
    assert gain_m(made, [one]) == gain_m(made, [two]) == 0.0
    assert overdetermining(made, [one]) == [one, two]


def test_one_that_suffices_is_not_overdetermined():
    one = constraint("headway", AGENT, 1, -1.0, lost=2.0, binds=0.0)
    two = constraint("cross_conflict", AGENT, 2, 1.5)
    assert overdetermining(choice(CAP, one, two), [one]) == []


def test_what_costs_next_to_nothing_is_no_cause():
    slight = constraint("headway", AGENT, 1, 1.9, lost=0.9 * FREE_MPS, binds=0.0)
    assert costly(choice(CAP, slight)) == []


def test_the_first_to_bind_comes_first():
    early = constraint("headway", AGENT, 1, 0.0, lost=0.5, binds=0.5)
    late = constraint("cross_conflict", AGENT, 2, -1.0, lost=2.0, binds=2.0)
    assert costly(choice(CAP, late, early)) == [early, late]


def test_one_who_comes_after_the_first_adds_to_the_wait_and_two_overdetermine_it():
    one, two, three = (Reference(AGENT, k) for k in (4, 5, 6))
    assert [c.role for c in _stream([], [one])] == ["joint"]
    found = _stream([], [one, two, three])
    assert [(c.role, c.ref) for c in found] == [("overdetermining", one), ("overdetermining", two)]
    assert _stream([], []) == []


def test_a_brake_that_nothing_binds_is_for_what_the_free_drive_would_run_into():
    plan = SimpleNamespace(
        start=np.array([0.0, 0.0, 0.0, 10.0]), waypoints=np.zeros((16, 4)), accel_mps2=np.full(16, -6.0)
    )
    made = Braked((CAP,), plan)
    free = Rejected(
        "longitudinal", "proceed", "keep", 3, 0.0, 1.0, "cross_conflict", Reference(AGENT, 7), 1.0, 2.0, "m", 0.1
    )
    (first,) = costly(with_reason(made, [free]))
    assert (first.name, first.reference) == ("cross_conflict", Reference(AGENT, 7))
    assert with_reason(made, []) is made
    elsewhere = replace(free, lane=4)
    assert with_reason(made, [elsewhere]) is made
