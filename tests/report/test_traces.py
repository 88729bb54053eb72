"""A traces file: read by scenario, refused with line and field where it is not what it should be."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waytrace.report import TraceFile, read_told
from waytrace.report.claims import claims_payload
from waytrace.scenario import Scenario, WaytraceError

from .told import random_lines, told_lines, write_lines


@pytest.fixture(scope="module")
def lines(scenario: Scenario) -> list[dict[str, Any]]:
    return told_lines(scenario)


def test_decisions_are_found_by_scenario_in_order_of_time(lines: list[dict[str, Any]], tmp_path: Path) -> None:
    other = [{**line, "scenario": "another"} for line in lines[:2]]
    write_lines(tmp_path / "traces.jsonl", [*reversed(lines), *other])
    file = TraceFile.of(tmp_path)
    assert file is not None
    assert [t.tick for t in file.decisions(lines[0]["scenario"])] == [line["tick"] for line in lines]
    assert len(file.decisions("another")) == 2
    assert file.decisions("nobody") == []


def test_only_scenario_tick_and_document_are_needed(lines: list[dict[str, Any]]) -> None:
    told = read_told({k: lines[0][k] for k in ("scenario", "tick", "document")}, "here")
    assert (told.tick, told.verdicts, told.ghosts, told.audit) == (0, (), (), ())


def test_a_result_without_the_file_has_no_traces(tmp_path: Path) -> None:
    assert TraceFile.of(tmp_path) is None


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("tick",), -1, "line 3: tick"),
        (("document", "header", "schema"), "adtrace/9", "header.schema"),
        (("document", "decision", "longitudinal"), "<script>", "longitudinal cannot hold '<script>'"),
        (("document", "entities", 0, "gap_bin"), 99, "entities.gap_bin cannot hold '99'"),
        (("document", "entities", 0, "ref"), "agent", "no reference"),
        (("verdicts", 0, "value"), "maybe", "verdict.value is 'maybe'; it is one of true"),
        (("verdicts", 0, "why"), 3, "verdict.why"),
        (("verdicts", 0, "slack"), None, None),
        (("verdicts",), "x", "verdicts is"),
        (("ghosts", 0, "xy"), [[1.0]], "ghosts.xy"),
    ],
)
def test_what_is_wrong_is_named(
    path: tuple[str | int, ...], value: Any, message: str | None, lines: list[dict[str, Any]], tmp_path: Path
) -> None:
    bad = copy.deepcopy(lines[9])
    place: Any = bad
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    file = TraceFile(write_lines(tmp_path / "traces.jsonl", [*lines[:2], bad]))
    if message is None:
        assert len(file.decisions(bad["scenario"])) == 3
        return
    with pytest.raises(WaytraceError, match=message):
        file.decisions(bad["scenario"])


@pytest.mark.parametrize("text", ["{", "[]", '{"tick": 0}', "[" * 10_000])
def test_a_line_that_is_no_decision_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    path.write_text(f"\n{text}\n")
    with pytest.raises(WaytraceError, match="line 2"):
        TraceFile(path)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 500) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
def test_whatever_stands_in_a_line_it_is_refused_or_can_be_shown(data: st.DataObject) -> None:
    from .conftest import make_scenario

    line = json.loads(json.dumps(_ONE.setdefault("line", random_lines(make_scenario(), 1)[0])))
    place: Any = line
    while isinstance(place, dict | list) and place:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if data.draw(st.booleans()) or not isinstance(place[key], dict | list):
            place[key] = data.draw(json_values)
            break
        place = place[key]
    try:
        told = read_told(line, "here")
    except WaytraceError:
        return
    assert json.dumps(claims_payload([told], np.zeros(2)), allow_nan=False), "what is let in can be shown"


_ONE: dict[str, Any] = {}
