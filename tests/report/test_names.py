import re

from hypothesis import given
from hypothesis import strategies as st

from waytrace.report import file_names
from waytrace.report.names import planner_labels


@given(st.lists(st.text(max_size=30), max_size=12))
def test_names_are_plain_and_unique(ids: list[str]) -> None:
    names = file_names(ids)
    assert len({name.lower() for name in names}) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*\.html", name) for name in names)


def test_plain_ids_keep_their_name() -> None:
    assert file_names(["USA_US101-1_1_T-1"]) == ["USA_US101-1_1_T-1.html"]


def test_nothing_leaves_the_folder() -> None:
    for name in file_names(["../../etc/passwd", "..", "a/b", "C:\\x", "", "nul", "x" * 500, "\ud800"]):
        assert "/" not in name
        assert "\\" not in name
        assert not name.startswith(".")
        assert len(name) < 120


def test_ids_that_differ_in_case_only_do_not_share_a_file() -> None:
    first, second = file_names(["Scene", "scene"])
    assert first.lower() != second.lower()


def test_drives_of_one_planner_are_told_apart_by_traffic_then_by_number() -> None:
    assert planner_labels([("expert", "mixed"), ("idm", "mixed")]) == ["expert", "idm"]
    assert planner_labels([("expert", "mixed"), ("expert", "replay"), ("expert", "replay")]) == [
        "expert · mixed",
        "expert · replay (1)",
        "expert · replay (2)",
    ]
