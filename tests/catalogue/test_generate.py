"""The same seed gives the same scene: in this process, in another, and in a year."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from waytrace.catalogue import SPLITS, CatalogueError, families, generate, generate_many, splits
from waytrace.catalogue.generate import _layout
from waytrace.scenario import scenario_hash

GOLDEN = Path(__file__).with_name("golden.json")
"""Renew with: WAYTRACE_RENEW_GOLDEN=1 pytest tests/catalogue/test_generate.py (and raise the family's version)."""


def test_golden_scenes_are_what_they_were():
    made = {s.id: scenario_hash(s) for split in SPLITS for s in generate_many(2 * len(families(split)), split=split)}
    if os.environ.get("WAYTRACE_RENEW_GOLDEN"):
        GOLDEN.write_text(json.dumps(made, indent=1) + "\n")
    kept = json.loads(GOLDEN.read_text())
    changed = sorted(name for name in kept.keys() | made.keys() if kept.get(name) != made.get(name))
    assert not changed, f"changed: {changed}; raise the family's version, then renew (see GOLDEN)"


def test_another_process_makes_the_same_bits():
    code = (
        "from waytrace.catalogue import generate_many, families;"
        "from waytrace.scenario import scenario_hash;"
        "print([scenario_hash(s) for s in generate_many(len(families()), seed=77, split='test')])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str([scenario_hash(s) for s in generate_many(len(families()), seed=77, split="test")])


def test_a_scene_does_not_depend_on_what_was_made_before():
    first = scenario_hash(generate("red-light", 5))
    _layout.cache_clear()
    generate("merge", 1)
    assert scenario_hash(generate("red-light", 5)) == first


def test_splits_share_neither_scenes_nor_clusters():
    made = {split: list(generate_many(4 * len(families(split)), split=split)) for split in SPLITS}
    for what in (lambda s: s.cluster, scenario_hash, lambda s: s.id):
        sets = [{what(s) for s in made[split]} for split in SPLITS]
        assert not sets[0] & sets[1]
        assert not sets[0] & sets[2]
        assert not sets[1] & sets[2]


def test_ids_name_family_split_seed_and_version():
    s = generate("cut-in", 123, "select")
    assert s.id == f"cut-in/select/000123@{s.provenance.details['version']}"
    assert s.family == "cut-in"
    assert s.cluster.startswith("cut-in/select/")


def test_some_families_occur_in_test_alone():
    for family in families():
        if splits(family) == ("test",):
            assert generate(family, 0, "test").family == family
            with pytest.raises(CatalogueError, match="'test' only"):
                generate(family, 0, "train")
        else:
            assert splits(family) == SPLITS
    assert not {s.family for s in generate_many(len(families()), split="select")} & (
        set(families()) - set(families("select"))
    )


def test_many_go_round_the_families():
    made = list(generate_many(5, families=["merge", "cut-in"], seed=10))
    assert [s.id.split("@")[0] for s in made] == [
        "merge/train/000010", "cut-in/train/000010", "merge/train/000011", "cut-in/train/000011", "merge/train/000012",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(("flying", 0), "no family 'flying'"), (("merge", 0, "dev"), "no split 'dev'"), (("merge", -1), "from 0 on")],
)
def test_what_does_not_exist_is_said(arguments, says):
    with pytest.raises(CatalogueError, match=says):
        generate(*arguments)
    with pytest.raises(CatalogueError, match="no family"):
        generate_many(1, families=["flying"])
