"""Roles of causes that come from asking: who moves the plan alone, who only with others, who must be added."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest

from waytrace.catalogue import generate
from waytrace.label import label_drive
from waytrace.label.decisions import Decided
from waytrace.label.second_look import SecondLook
from waytrace.observe import Reference, ReferenceKind
from waytrace.planners import Rejected
from waytrace.trace import Cause
from waytrace.trace.causes import SUFFICIENT
from waytrace.trace.check.fits import fitting

AGENT, LANE = ReferenceKind.AGENT, ReferenceKind.LANE
A, B, C, D = (Reference(AGENT, k) for k in (1, 2, 3, 4))
ROAD = Reference(LANE, 7)


def cause(ref, role="joint", axis="longitudinal", constraint="cross_conflict"):
    return Cause(ref, axis, role, constraint, 0, 0)


@dataclass
class Oracle:
    """An expert that is known to drive on once one of ``enough`` is gone entirely, and to change when alone."""

    enough: list
    needed: set = field(default_factory=set)
    """Those who have to be about for the plan to stay, when all others are gone."""
    asked: int = 0

    def undone(self, question, causes):
        self.asked += 1
        gone = {c.ref for c in causes}
        return (5.0, 0.0) if any(set(group) <= gone for group in self.enough) else (0.0, 0.0)

    def moved(self, question, edited, mind_curves=True):
        self.asked += 1
        here = {Reference(AGENT, int(k)) for k in edited}
        return (4.0 * len(self.needed - here), 0.0)


@pytest.fixture
def look(monkeypatch):
    """A second look at a decision of an expert of whom it is known what moves it."""
    monkeypatch.setattr(
        "waytrace.label.second_look.only", lambda scene, refs: {r.index for r in refs if r.kind == AGENT}
    )
    monkeypatch.setattr("waytrace.label.second_look.opens", lambda asker, question, certificate, c: c.ref != D)

    def of(oracle, rejected=()):
        made = SimpleNamespace(chosen=SimpleNamespace(constraints=()), rejected=rejected)
        agents = SimpleNamespace(index=np.array([1, 2, 3, 4]), in_arrays=np.ones(4, bool))
        return SecondLook(oracle, SimpleNamespace(scene=SimpleNamespace(agents=agents)), made)

    return of


def roles(causes):
    return {c.ref: c.role for c in causes}


WAITS = Decided("yield", "keep", None)


def test_who_moves_the_plan_alone_is_proximate_and_the_first_that_does_not_goes(look):
    kept = look(Oracle([[B]])).revised([cause(A, "proximate"), cause(B)], WAITS, None)
    assert roles(kept) == {B: "proximate"}


def test_a_stream_of_which_none_moves_the_plan_alone_overdetermines(look):
    kept = look(Oracle([[A, B]])).revised([cause(A, "proximate"), cause(B)], WAITS, None)
    assert roles(kept) == {A: "overdetermining", B: "overdetermining"}


def test_beside_one_who_moves_it_alone_a_pair_can_still_overdetermine(look):
    kept = look(Oracle([[A], [B, C]])).revised([cause(A, "proximate"), cause(B), cause(C)], WAITS, None)
    assert roles(kept) == {A: "proximate", B: "overdetermining", C: "overdetermining"}


def test_where_nothing_moves_the_plan_the_drive_is_free_and_the_causes_stay_as_they_were(look):
    given = [cause(A, "proximate"), cause(B)]
    second = look(Oracle([]))
    assert second.idle(given)
    assert second.revised(given, WAITS, None) == given
    assert not look(Oracle([[B]])).idle(given)


def test_who_bars_nothing_is_not_said_to(look):
    kept = look(Oracle([[A]])).revised(
        [cause(A, "proximate"), cause(C, "enabling", "lateral"), cause(D, "enabling", "lateral")], WAITS, None
    )
    assert roles(kept) == {A: "proximate", C: "enabling"}


def test_a_lane_change_for_nobody_leads_where_its_lane_leads(look):
    change = Decided("set_speed", "lane_change_left", None)
    kept = look(Oracle([])).revised([cause(A, "proximate", "lateral", "headway")], change, ROAD)
    assert [(c.ref, c.role, c.constraint) for c in kept] == [(ROAD, "enabling", "route_feasibility")]


def test_a_lane_change_whose_lane_nobody_can_point_at_keeps_the_cause_it_had(look):
    change = Decided("follow", "lane_change_left", None)
    given = [cause(A, "proximate", "lateral", "headway"), cause(B, "proximate")]
    kept = look(Oracle([[B]])).revised(given, change, None)
    assert {(c.ref, c.axis) for c in kept} == {(A, "lateral"), (B, "longitudinal")}


def test_whoever_has_to_be_about_for_the_plan_to_stay_is_added(look):
    barred = Rejected("lateral", "speed", "left", 3, 0.0, 1.0, "merge_gap", C, 1.0, 2.0, "m", 0.5, False)
    kept = look(Oracle([[A]], {A, C}), [barred]).revised([cause(A, "proximate")], WAITS, None)
    assert roles(kept) == {A: "proximate", C: "enabling"}
    assert kept[1].constraint == "merge_gap"


def test_nobody_is_added_where_that_does_not_explain_the_plan(look):
    barred = Rejected("lateral", "speed", "left", 3, 0.0, 1.0, "merge_gap", C, 1.0, 2.0, "m", 0.5, False)
    everybody = {A, B, C, D, Reference(AGENT, 9), Reference(AGENT, 10)}
    kept = look(Oracle([[A]], everybody), [barred]).revised([cause(A, "proximate")], WAITS, None)
    assert roles(kept) == {A: "proximate"}


def test_a_question_is_asked_once(look):
    oracle = Oracle([[A, B]])
    second = look(oracle)
    second.moves([cause(A), cause(B)])
    second.moves([cause(B, "proximate"), cause(A)])
    assert oracle.asked == 1


@pytest.mark.parametrize(
    ("family", "seed", "tick"), [("merge", 230013, 70), ("dense-lane-change", 230018, 40), ("ccrs", 230024, 10)]
)
def test_a_decision_is_called_after_a_cause_that_it_has_after_the_second_look(family, seed, tick):
    (moment,) = label_drive(generate(family, seed), ticks=[tick])
    d = moment.label.trace.decision
    named = [c.constraint for c in d.causes if c.axis == "longitudinal" and c.role in SUFFICIENT]
    fit = fitting(d.longitudinal)
    assert fit is None or set(named) & set(fit)
