"""Names: of those that fit what bound, the first that scene and plan bear out; what a free drive keeps as causes."""

from dataclasses import replace

from waytrace.label.fitting import fitting, held_of, supported
from waytrace.label.from_certificate import lay_of, own_lane
from waytrace.label.naming import ALSO, FREELY, NAMES, Naming
from waytrace.label.segments import plan_claim
from waytrace.observe import Reference, ReferenceKind
from waytrace.scenario import AgentKind
from waytrace.trace import Cause, sets
from waytrace.trace.check.fits import fitting as fits

CAR = AgentKind.VEHICLE
AGENT, LANE = ReferenceKind.AGENT, ReferenceKind.LANE


def cause(role="proximate", name="headway", ref=None, axis="longitudinal", share=5):
    return Cause(ref or Reference(AGENT, 1), axis, role, name, share, 0)


def naming(moment):
    lay = lay_of(moment.certificate.chosen, moment.at, own_lane(moment.certificate))
    claim = plan_claim(moment.label.plan, lay, "keep", moment.at.present, must_stop=False, holds=False)
    return Naming(moment.at.scene, moment.label.plan, moment.at.survey.summary, claim)


def test_every_name_that_is_tried_can_be_made_by_its_constraint():
    for constraint, names in NAMES.items():
        for name in names:
            if name not in ("pass", "emergency_brake"):
                assert constraint in (fits(name) or ()), (constraint, name)
    assert set(NAMES) == set(sets.CONSTRAINT.values)
    assert set(ALSO) <= set(sets.CONSTRAINT.values)
    assert set(FREELY) == set(sets.FREE)


def test_a_wrong_name_for_what_bound_gives_way_to_one_that_holds(scene, labelled):
    moment = labelled(scene((CAR, 85.0, 0.0, 0.0, 6.0)))
    name, causes = naming(moment).longitudinal("yield", "keep", [cause(name="headway")])
    assert name == "follow"
    assert [c.constraint for c in causes] == ["headway"]


def test_a_crossing_that_is_none_is_called_headway(scene, labelled):
    moment = labelled(scene((CAR, 85.0, 0.0, 0.0, 6.0)))
    (found,) = naming(moment).causes([cause(name="cross_conflict")], "follow", "keep")
    assert found.constraint == "headway"


def test_enabling_causes_that_nothing_bears_out_go_but_never_the_last_one(scene, labelled):
    moment = labelled(scene((CAR, 85.0, 0.0, 0.0, 6.0), (CAR, 10.0, 30.0, 1.5, 5.0)))
    stray = cause("enabling", "merge_gap", Reference(AGENT, 2), "lateral")
    assert naming(moment).causes([cause(), stray], "follow", "keep") == [cause()]
    assert naming(moment).causes([cause(), stray], "follow", "lane_change_left") == [cause(), stray]


def test_a_decision_keeps_what_carries_it_even_if_nothing_bears_it_out(scene, labelled):
    moment = labelled(scene((CAR, 85.0, 0.0, 0.0, 6.0)))
    bend, bar = cause("joint", "curve_lat_accel", Reference(LANE, 0)), cause("enabling", "headway")
    assert bend in naming(moment).causes([bend, bar], "adapt_speed", "keep")
    assert bend not in naming(moment).causes([bend, bar], "set_speed", "keep")


def test_enabling_causes_alone_carry_no_speed(scene, labelled):
    found, gate = supported(replace(labelled(scene()).label.decided, longitudinal="follow"), [cause("enabling")])
    assert (found.longitudinal, gate) == ("set_speed", "truncated")


def test_a_free_drive_keeps_what_costs_some_speed_as_joint(scene, labelled):
    moment = labelled(scene())
    found = replace(moment.label.decided, longitudinal="set_speed", lateral="keep")
    assert [c.role for c in fitting([cause(), cause("enabling")], found)] == ["joint"]


def test_there_is_room_for_four_and_decisions_come_first(scene, labelled):
    moment = labelled(scene())
    found = replace(moment.label.decided, longitudinal="follow", lateral="nudge_in_lane_left")
    many = [
        cause(), *(cause("joint", ref=Reference(AGENT, k), share=k % 4) for k in range(2, 6)),
        cause("proximate", "lateral_clearance", Reference(AGENT, 9), "lateral"), cause("enabling"),
    ]  # fmt: skip
    kept = fitting(many, found)
    assert len(kept) == sets.MOST_CAUSES
    assert kept[0] == many[0]
    assert [c.share_bin for c in kept if c.role == "joint"] == [3, 2]
    assert kept[-1].axis == "lateral"


def test_half_of_an_overdetermining_set_is_proximate(scene, labelled):
    found = replace(labelled(scene()).label.decided, longitudinal="follow", lateral="keep")
    assert [c.role for c in fitting([cause("overdetermining")], found)] == ["proximate"]
    both = [cause("overdetermining"), cause("overdetermining", ref=Reference(AGENT, 2))]
    assert [c.role for c in fitting(both, found)] == ["overdetermining"] * 2


def test_what_cannot_be_pointed_at_is_left_out_and_said(scene, labelled):
    moment = labelled(scene((CAR, 85.0, 0.0, 0.0, 6.0)))
    far = cause(name="speed_cap", ref=Reference(LANE, 999))
    held, dropped = held_of([far], moment.at.present)
    assert held == []
    assert dropped == ["speed_cap lane:999"]
    found, gate = supported(replace(moment.label.decided, longitudinal="adapt_speed"), held)
    assert (found.longitudinal, gate) == ("set_speed", "truncated")
