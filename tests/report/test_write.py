import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from waytrace.report import write_report
from waytrace.scenario import WaytraceError

from .conftest import make_drive, make_scenario
from .fakes import FakeResult


@pytest.fixture(scope="module")
def results() -> dict[str, FakeResult]:
    scenarios = [make_scenario(i) for i in ("easy", "hard", "a/b<c>")]
    expert = [(s, *make_drive(s)) for s in scenarios]
    wild = [(s, *make_drive(s, "wild", crash=s.id != "easy")) for s in scenarios[:2]]
    return {
        "expert": FakeResult("expert", expert, score_interval=[0.4, 0.6], suite="smoke"),
        "wild": FakeResult("wild", wild, errors=[{"id": "a/b<c>", "message": "planner raised", "log": ""}]),
    }


def rows_of(index: Path) -> Any:
    return json.loads(re.findall(r'id="data">(.*?)</script>', index.read_text(), re.S)[0])


def test_a_report_has_a_page_per_scenario_and_every_link_leads_somewhere(
    tmp_path: Path, results: dict[str, FakeResult]
) -> None:
    seen: list[tuple[int, int]] = []
    index = write_report(
        [Path("expert"), Path("wild")],
        tmp_path / "out",
        load=lambda p: results[p.name],
        progress=lambda *n: seen.append(n),
    )
    assert index == tmp_path / "out" / "index.html"
    page = rows_of(index)
    assert len(page["rows"]) == 5
    assert len(list((tmp_path / "out" / "scenes").iterdir())) == 3
    assert all((index.parent / row[1]).is_file() for row in page["rows"])
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert [p["label"] for p in page["planners"]] == ["expert", "wild"]
    assert page["planners"][0]["interval"] == [0.4, 0.6]
    assert page["planners"][1]["errors"] == [["a/b<c>", "planner raised"]]


def test_the_worst_scenario_comes_first_and_leads_on_to_the_next(
    tmp_path: Path, results: dict[str, FakeResult]
) -> None:
    index = write_report([Path("expert"), Path("wild")], tmp_path, load=lambda p: results[p.name])
    rows = rows_of(index)["rows"]
    assert rows[0][0] == "hard"
    first = rows_of(index.parent / rows[0][1])
    assert first["links"]["index"] == "../index.html"
    assert first["links"]["previous"] == ""
    assert (index.parent / "scenes" / first["links"]["next"]).is_file()
    assert [d["label"] for d in first["drives"]] == ["expert", "wild"]


def test_scenarios_that_not_even_the_oracle_passes_are_marked(tmp_path: Path, results: dict[str, FakeResult]) -> None:
    scenario = make_scenario("hopeless")
    result = FakeResult("expert", [(scenario, *make_drive(scenario))], admitted_only=True)
    result.meta["scenarios"][0]["oracle"] = {"clean": False}
    page = rows_of(write_report([Path("x")], tmp_path, load=lambda _: result))
    assert page["rows"][0][10] == 0
    assert page["planners"][0]["admitted_only"]


def test_two_results_of_one_planner_are_told_apart(tmp_path: Path, results: dict[str, FakeResult]) -> None:
    index = write_report([Path("expert"), Path("expert")], tmp_path, load=lambda p: results[p.name])
    assert [p["label"] for p in rows_of(index)["planners"]] == ["expert (1)", "expert (2)"]


def test_a_scenario_that_changed_between_results_gets_a_page_for_each(
    tmp_path: Path, results: dict[str, FakeResult]
) -> None:
    scenario = make_scenario("easy")
    rollout, score = make_drive(scenario)
    other = FakeResult("new", [(scenario, replace(rollout, scenario_hash="f" * 64), score)])
    index = write_report(
        [Path("expert"), Path("new")], tmp_path, load=lambda p: {"expert": results["expert"], "new": other}[p.name]
    )
    pages = {row[1] for row in rows_of(index)["rows"] if row[0] == "easy"}
    assert len(pages) == 2


def test_nothing_to_report_and_nowhere_to_write_are_said_plainly(
    tmp_path: Path, results: dict[str, FakeResult]
) -> None:
    with pytest.raises(WaytraceError, match="no result given"):
        write_report([], tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(WaytraceError, match="cannot write to"):
        write_report([Path("expert")], tmp_path / "file", load=lambda p: results[p.name])
