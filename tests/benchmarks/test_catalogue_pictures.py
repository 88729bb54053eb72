from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from catalogue_pictures import caption, driven, scenes, section
from scene_picture import picture, view
from waytrace.catalogue import families, generate
from waytrace.evaluate.drive import drive
from waytrace.planners import make

SVG = "{http://www.w3.org/2000/svg}"


def classes(svg: str) -> list[str]:
    return [e.get("class", "") for e in ElementTree.fromstring(svg).iter()]


def test_a_view_turns_the_ego_to_the_right_and_shows_what_is_about_to_happen():
    scene = generate("pedestrian-near", 3)
    shown = view(scene, None, "a scene")
    start, ego = scene.start_step, scene.ego_index
    assert shown.scene.agents.xy[ego, start] == pytest.approx([0.0, 0.0], abs=1e-9)
    assert shown.scene.agents.heading_rad[ego, start] == pytest.approx(0.0, abs=1e-9)
    for script in shown.scene.scripts:
        for point in (script.at_xy, script.to_xy):
            assert (shown.low < point).all()
            assert (shown.high > point).all()


def test_who_is_there_and_what_is_prepared_is_drawn():
    scene = generate("pedestrian-near", 3)
    names = classes(picture("t", [view(scene, None, caption(scene))]))
    assert names.count("ego") == 1
    assert {"road", "route", "ring", "plan", "a4"} <= set(names)
    assert "drive" not in names


def test_a_drive_is_drawn_with_the_moment_when_both_are_nearest():
    scene = generate("cut-in", 4)
    scene = scene.with_(end_step=scene.start_step + 30)
    rollout = drive(make("constant-velocity"), [scene], traffic="reactive")[0]
    svg = picture("t", [view(scene, rollout, caption(scene))])
    assert {"drive", "deed", "near-e", "near-d"} <= set(classes(svg))
    assert len(svg) < 60_000


def test_scenes_of_a_picture_are_three_different_places():
    chosen = scenes("parked-car")
    assert len({s.cluster for s in chosen}) == 3
    assert len({bool(s.provenance.details["params"]["whole_lane"]) for s in chosen}) == 2


@pytest.mark.parametrize("family", families())
def test_every_family_says_in_a_line_what_happens(family):
    assert len(section(family).splitlines()[2]) > 20


def test_families_of_the_test_split_alone_are_driven_by_nobody():
    held_out = [name for name in families() if name not in families("train")]
    for name in held_out:
        chosen = scenes(name)
        assert driven(name, chosen) == [None] * 3
        assert all(np.isfinite(view(s, None, "").low).all() for s in chosen)
