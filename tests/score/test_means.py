from __future__ import annotations

import pytest

from waytrace.score import ScenarioScore, aggregate


def scored(name, score, **terms):
    return ScenarioScore(name, score, terms, tuple(terms), {}, {"min_ttc_s": 1.0} if score else {})


def test_means_are_over_what_applied():
    scores = [scored("a", 1.0, NC=1.0, SL=0.5), scored("b", 0.0, NC=0.0), scored("c", 0.5, NC=0.5)]
    table = aggregate(scores, family={"a": "merge", "b": "merge"}, source={"c": "av2"})
    assert table["all"]["count"] == 3
    assert table["all"]["score"] == pytest.approx(0.5)
    assert table["all"]["terms"] == {"NC": pytest.approx(0.5), "SL": 0.5}
    assert table["all"]["applied"]["SL"] == 1
    assert table["all"]["applied"]["EP"] == 0
    assert table["families"]["merge"]["score"] == 0.5
    assert table["families"]["merge"]["figures"] == {"min_ttc_s": 1.0}
    assert list(table["sources"]) == ["av2"]


def test_nothing_is_averaged_over_no_drives():
    table = aggregate([])
    assert table["all"]["score"] is None
    assert table["all"]["terms"] == {}
    assert table["families"] == {}
