"""Splits: what may be used for what, and that edits and place decide nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from waytrace.catalogue import generate
from waytrace.scenario import SPLITS, Purpose, Scenario, SplitError, permit, remove, road_section, split_of
from waytrace.scenario.splits import SHARES


@pytest.fixture(scope="module")
def scene() -> Scenario:
    return generate("cut-in", 3, "select")


def drive(scene: Scenario, cluster: str, city: str = "", origin: tuple[float, float] = (0.0, 0.0)) -> Scenario:
    """A recorded drive at a place."""
    details = {"city": city} if city else {}
    provenance = replace(scene.provenance, details=details, origin_xy=origin)
    return scene.with_(id=f"recorded/{cluster}", source="recorded", cluster=cluster, provenance=provenance)


@pytest.mark.parametrize("split", SPLITS)
def test_a_generated_scene_is_of_its_split_and_so_are_its_edits(split):
    made = generate("cut-in", 0, split)
    assert split_of(made) == split
    assert split_of(remove(made, [1])) == split


def test_training_and_tuning_are_refused_what_is_not_theirs():
    scenes = {split: generate("cut-in", 0, split) for split in SPLITS}
    allowed = {
        Purpose.TRAIN: {"train"},
        Purpose.TUNE: {"train", "select"},
        Purpose.REPORT: {"train", "select", "test"},
    }
    for purpose, splits in allowed.items():
        for split, one in scenes.items():
            if split in splits:
                assert list(permit([one], purpose)) == [one]
            else:
                with pytest.raises(SplitError, match=f"of split '{split}'"):
                    list(permit([scenes["train"], one], purpose))


def test_everything_before_the_offender_has_been_given_and_nothing_after(scene):
    taken = permit([generate("cut-in", 0), scene, generate("cut-in", 1)], "train")
    assert next(taken).id.startswith("cut-in/train")
    with pytest.raises(SplitError):
        next(taken)
    assert list(taken) == []


def test_recorded_drives_are_divided_by_road_section(scene):
    assert split_of(drive(scene, "us101")) == "train"
    assert split_of(drive(scene, "lankershim")) == "test"
    drawn = [split_of(drive(scene, f"section-{i}")) for i in range(2000)]
    for split, share in SHARES.items():
        assert abs(drawn.count(split) / 2000 - share) < 0.04
    assert drawn[:50] == [split_of(drive(scene, f"section-{i}")) for i in range(50)]


def test_two_recordings_of_one_place_have_one_split_whatever_they_are_called(scene):
    one = drive(scene, "av2/one", "austin", (1210.0, -380.0))
    other = drive(scene, "av2/other", "ATX", (1900.0, -10.0))
    assert road_section(one) == road_section(other) == "ATX/1,-1"
    assert split_of(one) == split_of(other)
    assert road_section(drive(scene, "av2/far", "ATX", (2100.0, -10.0))) != road_section(one)


def test_a_generated_scene_that_hides_its_split_is_refused(scene):
    with pytest.raises(SplitError, match="does not say its split"):
        split_of(scene.with_(id="mine"))
