"""Suites: frozen means that nothing in them can change unseen, and that held-out ones are opened knowingly."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from waytrace.catalogue import families, generate
from waytrace.evaluate import Suite, SuiteError, SuiteScene, evaluate, load_suite, reference, suite_names, suite_store
from waytrace.evaluate.freeze import RECIPES, freeze_store, recipe_ids
from waytrace.evaluate.openings import openings
from waytrace.evaluate.suite_store import generated, in_style
from waytrace.evaluate.suites import FORMAT, parse_suite
from waytrace.scenario import SplitError, permit, scenario_hash
from waytrace.scenario.store import ScenarioStore, ScenarioWriter
from waytrace.sim import World


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYTRACE_CACHE", str(tmp_path / "cache"))


def scene(id: str, style: str = "normal", **changes: object) -> SuiteScene:
    content = scenario_hash(in_style(generated(id), style))[:16]
    made = SuiteScene(generated(id).id, style, content, True, 120.0, 0.9, True)
    return replace(made, **changes)  # type: ignore[arg-type]


def small(*scenes: SuiteScene, split: str = "select") -> Suite:
    return Suite("small", "two scenes", (split,), "mixed", 0, "0" * 16, scenes)


def test_a_suite_is_what_its_text_says() -> None:
    suite = small(scene("cut-in/select/000003"), scene("merge/select/000000", admitted=False, preventable=False))
    assert parse_suite(suite.text(), "here") == suite


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (FORMAT, "waytrace suite 9", "first line"),
        (" admitted ", " refused ", "own hash"),
        ("120.000", "140.000", "own hash"),
        ("mixed", "chaos", "splits, traffic or seed"),
        ("scenes: 1", "scenes: 2", "own hash"),
        ("about: two scenes\n", "", "lacks about"),
        (" normal ", " polite ", "line 11: not a scene"),
        ("120.000", "twelve", "line 11: not a scene"),
        (" preventable\n", " preventable\n" * 2, "not a scene"),
    ],
)
def test_a_file_that_was_edited_is_refused(old: str, new: str, says: str) -> None:
    text = small(scene("cut-in/select/000003")).text()
    assert old in text
    with pytest.raises(SuiteError, match=says):
        parse_suite(text.replace(old, new, 1), "here")


def test_what_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="no suite 'nothing'"):
        load_suite("nothing")
    with pytest.raises(SuiteError, match="cannot be read"):
        load_suite(tmp_path / "gone.suite")
    (tmp_path / "torn.suite").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SuiteError, match="cannot be read"):
        load_suite(tmp_path / "torn.suite")


def test_a_scene_that_the_catalogue_no_longer_makes_is_refused() -> None:
    with pytest.raises(SuiteError, match="is not the one that suite small was frozen with"):
        suite_store(small(scene("cut-in/select/000003", content="0" * 16)))
    with pytest.raises(SuiteError, match="version 999"):
        suite_store(small(replace(scene("cut-in/select/000003"), id="cut-in/select/000003@999")))
    with pytest.raises(SuiteError, match="no id of a generated scenario"):
        generated("cut-in@1")


def test_one_scene_in_both_styles_is_two() -> None:
    suite = small(scene("cut-in/select/000003"), scene("cut-in/select/000003", "assertive"))
    store, _ = suite_store(suite)
    normal, assertive = (ScenarioStore.open(store)[s.key] for s in suite.scenes)
    assert assertive.id == f"{normal.id}+assertive"
    worlds = [
        World([s], style=style) for s, style in ((normal, "normal"), (assertive, "normal"), (normal, "assertive"))
    ]
    for world in worlds:
        world.step_controls(np.zeros(1), np.zeros(1), ticks=30)
    assert np.array_equal(worlds[1].state.x, worlds[2].state.x)
    assert not np.array_equal(worlds[0].state.x, worlds[1].state.x)


def test_a_suite_is_driven_with_its_frozen_references(tmp_path: Path) -> None:
    admitted, refused = (
        scene("cut-in/select/000003", progress_m=1.0e4),
        scene("red-light/select/000001", admitted=False),
    )
    result = evaluate("idm", small(admitted, refused), out=tmp_path / "r")
    assert result.row(admitted.key)["figures"]["reference_progress_m"] == 1.0e4
    assert result.row(admitted.key)["terms"]["MP"] == 0.0, "far behind such an oracle"
    assert result.meta["count"] == 1
    assert result.meta["unfiltered"]["count"] == 2
    assert result.meta["score"] == result.row(admitted.key)["score"]
    assert result.meta["suite"] == "small"
    assert result.meta["oracle_score"] == 0.9
    with pytest.raises(SuiteError, match="leave out traffic"):
        evaluate("idm", small(admitted), out=tmp_path / "s", traffic="replay")


def test_a_held_out_suite_is_opened_for_a_reason_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYTRACE_OPENINGS", str(tmp_path / "log.tsv"))
    suite = small(scene("red-light/test/000000"), split="test")
    with pytest.raises(SuiteError, match="--reason"):
        evaluate("constant-velocity", suite, out=tmp_path / "r")
    assert openings("small") == 0
    evaluate("constant-velocity", suite, out=tmp_path / "r", reason="a figure\tof the paper")
    evaluate("constant-velocity", suite, out=tmp_path / "r")  # the same result again opens nothing
    assert openings("small") == 1
    evaluate("idm", suite, out=tmp_path / "i", reason="beside it")
    assert openings("small") == 2
    lines = (tmp_path / "log.tsv").read_text().splitlines()
    assert [line.split("\t")[3:] for line in lines[1:]] == [
        ["constant-velocity", "a figure of the paper"], ["idm", "beside it"],
    ]  # fmt: skip


def test_recorded_drives_have_to_be_brought(tmp_path: Path) -> None:
    drive = generate("red-light", 1).with_(id="log/one", source="recorded", cluster="lankershim", family="")
    content = scenario_hash(drive)[:16]
    suite = small(SuiteScene("log/one", "normal", content, True, 50.0, 0.9, True), split="test")
    with pytest.raises(SuiteError, match="consists of recorded drives"):
        suite_store(suite)
    with ScenarioWriter(tmp_path / "other") as writer:
        writer.add(generate("red-light", 2))
    with pytest.raises(SuiteError, match="lacks 1 of the 1 drives"):
        suite_store(suite, tmp_path / "other")
    with ScenarioWriter(tmp_path / "drives") as writer:
        writer.add(drive)
    path, _ = suite_store(suite, tmp_path / "drives")
    assert ScenarioStore.open(path).ids == ("log/one",)


def test_freezing_a_store_takes_what_may_be_used(tmp_path: Path) -> None:
    with ScenarioWriter(tmp_path / "store") as writer:
        for split in ("train", "select", "test"):
            writer.add(generate("red-light", 0, split))
    suite = freeze_store("tuning", "for tuning", tmp_path / "store", purpose="tune")
    assert [s.id.split("/")[1] for s in suite.scenes] == ["train", "select"]
    assert suite.splits == ("train", "select")
    assert [s.id.split("/")[1] for s in freeze_store("o", "", tmp_path / "store").scenes] == ["select", "test"]
    found = suite.scenes[0]
    assert found.progress_m > 5.0
    assert 0.0 <= found.oracle_score <= 1.0
    assert freeze_store("tuning", "for tuning", tmp_path / "store", purpose="tune", workers=2) == suite


def test_recipes_take_every_family_of_their_split_alike() -> None:
    for recipe in RECIPES.values():
        ids = recipe_ids(recipe)
        assert len(set(ids)) == len(ids) == recipe.per_family * len(families(recipe.split))
        assert {id.split("/")[1] for id in ids} == {recipe.split}
    assert set(families("test")) >= set(families("select"))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in suite_names() if load_suite(name).generated])
def test_frozen_figures_are_those_of_this_oracle(name: str) -> None:
    suite = load_suite(name)
    for entry in suite.scenes[:: max(1, len(suite.scenes) // 12)]:
        made = in_style(generated(entry.id), entry.style)
        found = reference(made, scenario_hash(made), traffic=suite.traffic, style="normal", seed=suite.seed)
        assert found.clean == entry.admitted, entry.key
        assert found.progress_m == pytest.approx(entry.progress_m, abs=1e-3), entry.key
        assert found.score == pytest.approx(entry.oracle_score, abs=1e-5), entry.key
        assert found.preventable == entry.preventable, entry.key


@pytest.mark.parametrize("name", suite_names())
def test_the_package_s_suites_are_what_this_catalogue_makes(name: str) -> None:
    suite = load_suite(name)
    assert re.fullmatch("[0-9a-f]{64}", suite.sha256)
    if suite.generated:
        for entry in suite.scenes[:: max(1, len(suite.scenes) // 40)]:
            made = in_style(generated(entry.id), entry.style)
            assert scenario_hash(made).startswith(entry.content)
            with pytest.raises(SplitError):
                list(permit([made], "train"))
