from __future__ import annotations

import math

import numpy as np
import pytest

from waytrace.rules import (
    FRONT,
    LATERAL,
    NO_CONTACT,
    REAR,
    STOPPED_EGO,
    STOPPED_TRACK,
    bearing_cos,
    contact_kind,
    find_contacts,
    gravest_contact,
    is_at_fault,
    pair_contact,
)

EGO = (0.0, 0.0, 0.0, 4.0, 2.0, 10.0)


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        ((4.1, 0.0, 0.0, 4.0, 2.0, 5.0), NO_CONTACT),
        ((3.9, 0.0, 0.0, 4.0, 2.0, 5.0), FRONT),
        ((3.9, 0.0, math.pi, 4.0, 2.0, 5.0), FRONT),
        ((3.9, 0.0, 0.0, 4.0, 2.0, 0.0), STOPPED_TRACK),
        ((3.9, 0.0, 0.0, 4.0, 2.0, 0.05), STOPPED_TRACK),
        ((-3.9, 0.0, 0.0, 4.0, 2.0, 15.0), REAR),
        ((-0.5, 1.9, 0.0, 4.0, 2.0, 9.0), LATERAL),
        # Beside and ahead: the front bumper (x = 2, |y| <= 1) meets its side (y >= 0.9).
        ((3.0, 1.9, 0.0, 4.0, 2.0, 9.0), FRONT),
        # Behind to the left: bearing from the rear axle (-1.12, 0) to (-3, 1.9) is 135 degrees, under 150.
        ((-3.0, 1.9, 0.0, 4.0, 2.0, 9.0), LATERAL),
    ],
)
def test_how_two_boxes_are_in_contact(other, kind):
    assert contact_kind(*EGO, *other) == kind


def test_a_standing_ego_is_struck_whatever_the_side():
    ego = (*EGO[:5], 0.05)
    for other in ((3.9, 0.0, math.pi, 4.0, 2.0, 5.0), (0.0, 1.9, 0.0, 4.0, 2.0, 0.0)):
        assert contact_kind(*ego, *other) == STOPPED_EGO


def test_reversing_into_someone_who_stands_is_a_stopped_track():
    assert contact_kind(*EGO[:5], -3.0, -3.9, 0.0, 0.0, 4.0, 2.0, 0.0) == STOPPED_TRACK


def test_bearing_is_seen_from_the_rear_axle():
    # Rear axle at -0.28 * 4 = -1.12: a point 1.12 to its left and as far ahead stands at 45 degrees.
    assert bearing_cos(0.0, 0.0, 0.0, 4.0, 0.0, 1.12) == pytest.approx(math.sqrt(0.5))
    assert bearing_cos(0.0, 0.0, 0.0, 4.0, -1.12, 0.0) == 0.0


@pytest.mark.parametrize(
    ("kind", "in_lane", "astride"),
    [(STOPPED_EGO, 0, 0), (STOPPED_TRACK, 1, 1), (FRONT, 1, 1), (REAR, 0, 0), (LATERAL, 0, 1), (NO_CONTACT, 0, 0)],
)
def test_fault(kind, in_lane, astride):
    assert is_at_fault(kind, True) == bool(in_lane)
    assert is_at_fault(kind, False) == bool(astride)


def test_contacts_of_a_slot(state):
    s = state((-50.0, 0.0, 0.0, 10.0), (-46.5, 0.0, 0.0, 5.0), (-53.5, 0.0, 0.0, 12.0), (0.0, 0.0, 0.0, 1.0))
    kind = np.zeros(4, np.uint8)
    assert find_contacts(s, 0, 0, kind) == 2
    assert kind.tolist() == [NO_CONTACT, FRONT, REAR, NO_CONTACT]
    s.present[0, 1] = False
    assert pair_contact(s, 0, 0, 1) == NO_CONTACT


def test_the_gravest_contact_is_one_at_fault(maps, state):
    rear, front = (-53.5, 0.0, 0.0, 12.0), (-46.5, 0.0, 0.0, 5.0)
    assert gravest_contact(maps.index, state((-50.0, 0.0, 0.0, 10.0), rear, front), 0, 0, 0) == (FRONT, 2, True)
    assert gravest_contact(maps.index, state((-50.0, 0.0, 0.0, 10.0), rear), 0, 0, 0) == (REAR, 1, False)
    assert gravest_contact(maps.index, state((-50.0, 0.0, 0.0, 10.0)), 0, 0, 0) == (NO_CONTACT, -1, False)
    # Side by side: the ego in its lane, then astride the line at y = 1.75.
    beside = (-50.5, 1.9, 0.0, 9.0)
    assert gravest_contact(maps.index, state((-50.0, 0.0, 0.0, 10.0), beside), 0, 0, 0) == (LATERAL, 1, False)
    astride, beside = (-50.0, 1.0, 0.0, 10.0), (-50.5, 2.9, 0.0, 9.0)
    assert gravest_contact(maps.index, state(astride, beside), 0, 0, 0) == (LATERAL, 1, True)
