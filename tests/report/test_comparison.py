"""Two results beside each other as pages: what comes first, and where the links lead."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from waytrace.evaluate.compare import SceneDifference
from waytrace.evaluate.compare_said import SaidDifference
from waytrace.report import write_comparison
from waytrace.scenario import WaytraceError

from .conftest import make_drive, make_scenario
from .fakes import FakeResult

NAN = float("nan")
OTHER = SaidDifference(15, ("yield", "follow"), 2, 10, ("longitudinal headway, agent 3 (proximate)",), (), 1)


def _difference(scene: str, before: float, after: float, said: SaidDifference | None = None) -> SceneDifference:
    return SceneDifference(
        scene, before, after, {"EP": (0.9, 0.5), "C": (1.0, 0.999)}, ("5.8 s: entered on red",), (), 3, 20, 0,
        said or SaidDifference(),
    )  # fmt: skip


def _page(index: Path) -> Any:
    return json.loads(re.findall(r'id="data">(.*?)</script>', index.read_text(), re.S)[0])


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scenarios = [make_scenario(name) for name in ("a", "b", "c", "d", "e", "same")]
    results = {
        name: FakeResult.counted("mine", [(s, *make_drive(s)) for s in scenarios if (name, s.id) != ("new", "d")])
        for name in ("old", "new")
    }
    few = SaidDifference(other_causes=1, cause_tick=5, added=("lateral headway, agent 1 (joint)",))
    differences = [
        _difference("a", 0.5, 0.9, OTHER), _difference("b", 0.8, 0.802, few), _difference("c", 0.8, 0.8, OTHER),
        _difference("d", 0.7, NAN), _difference("e", 0.7, 0.6),
    ]  # fmt: skip
    out = tmp_path_factory.mktemp("compared")
    return write_comparison(Path("old"), Path("new"), differences, out, load=lambda p: results[p.name])


def test_what_no_score_shows_comes_first_then_failures_losses_gains(index: Path) -> None:
    rows = _page(index)["rows"]
    assert [(r["id"], r["kind"]) for r in rows] == [("c", 0), ("b", 0), ("d", 1), ("e", 1), ("a", 2)]
    assert rows[2]["after"] is None
    assert "5 of 6 scenes differ" in index.read_text()


def test_a_row_says_what_changed_and_opens_at_the_first_of_it(index: Path) -> None:
    row = _page(index)["rows"][0]
    assert row["at_s"] == 1.0
    said = dict(row["changes"])
    assert said["2 other decisions, first at 1.5 s"] == "yield \N{RIGHTWARDS ARROW} follow"
    assert said["causes of 1 decision, first at 1.0 s"].endswith("longitudinal headway, agent 3 (proximate)")
    assert said["terms"] == "EP 0.90 \N{RIGHTWARDS ARROW} 0.50", "a term that prints alike is left out"
    assert said["event gone"] == "5.8 s: entered on red"


def test_only_scenes_that_differ_have_a_page_and_it_holds_both_drives(index: Path) -> None:
    rows = _page(index)["rows"]
    assert len(list((index.parent / "scenes").iterdir())) == 5
    for row in rows:
        page = _page(index.parent / row["href"])
        labels = ["before: mine", "after: mine"]
        assert [d["label"] for d in page["drives"]] == (labels[:1] if row["id"] == "d" else labels)
        assert (index.parent / "scenes" / page["links"]["index"]).resolve() == index.resolve()


def test_nowhere_to_write_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = FakeResult("mine", [])
    with pytest.raises(WaytraceError, match="cannot write to"):
        write_comparison(Path("a"), Path("b"), [], tmp_path / "file", load=lambda _: result)
