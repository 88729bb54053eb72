"""Roles of causes, from what constraints allow along a drive."""

import math
from types import SimpleNamespace

import numpy as np

from waytrace.label.causes import MOVED_M, gain_m, overdetermining
from waytrace.label.decisions import FREE_MPS, costly
from waytrace.observe import Reference, ReferenceKind
from waytrace.planners import Constraint

AGENT, LANE = ReferenceKind.AGENT, ReferenceKind.LANE


def constraint(name, kind, number, allowed, lost=0.0, binds=math.inf):
    column = np.full(17, math.inf) if allowed is None else np.full(17, float(allowed))
    return Constraint(name, Reference(kind, number), float(column[0]), 0.0, binds, lost, column)


def choice(*constraints):
    plan = SimpleNamespace(start=np.array([0.0, 0.0, 0.0, 10.0]), waypoints=np.full((16, 4), 10.0))
    return SimpleNamespace(constraints=constraints, plan=plan)


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
