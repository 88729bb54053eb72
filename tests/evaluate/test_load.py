"""Planners from what a person types."""

from __future__ import annotations

from pathlib import Path

import pytest

from waytrace.evaluate import PlannerError, load_planner
from waytrace.planners import NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_built_in_is_a_planner(name: str) -> None:
    planner = load_planner(name)
    assert planner.name == name
    assert planner is not load_planner(name)


def test_a_class_of_ones_own(own: str) -> None:
    assert type(load_planner(f"{own}:Delegating")).__name__ == "Delegating"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("idn", "Known: "),
        ("no_such_module_here:Planner", "there is no module 'no_such_module_here'"),
        ("{own}:Absent", "has no 'Absent'"),
        ("{own}:not_callable", "no class or function"),
        ("{own}:NeedsArguments", "without arguments fails"),
        ("{own}:NoPlanner", "no method reset()"),
        ("broken:Planner", "importing 'broken' fails: SyntaxError"),
        ("needy:Planner", "needs 'a_module_nobody_has'"),
        (":Planner", "module:Class"),
    ],
)
def test_what_cannot_be_loaded_is_said_plainly(spec: str, said: str, own: str, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def (")
    (tmp_path / "needy.py").write_text("import a_module_nobody_has")
    with pytest.raises(PlannerError, match=said.replace("(", r"\(").replace(")", r"\)")):
        load_planner(spec.format(own=own))
