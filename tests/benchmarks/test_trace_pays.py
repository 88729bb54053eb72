"""The comparison of arms pairs seeds and scenes, and says "not run" of what was not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest


def _driven(scores: Mapping[int, Mapping[str, float]], **changed: Any) -> Any:
    from pays_counts import Driven

    rows = {s: {"rows": {id: [v, False, id[0], True] for id, v in scenes.items()}, "failed": 0}
            for s, scenes in scores.items()}  # fmt: skip
    return Driven.of({s: record | changed for s, record in rows.items()})


def test_a_difference_is_of_the_same_seed_on_the_same_scene() -> None:
    from pays_counts import between

    one = _driven({0: {"a1": 0.9, "b1": 0.5, "c1": 1.0}, 1: {"a1": 0.7, "b1": 0.7}, 2: {"a1": 0.0, "b1": 0.0}})
    other = _driven({0: {"a1": 0.5, "b1": 0.5}, 1: {"a1": 0.5, "b1": 0.5, "d1": 0.0}})
    found = between(one, other)  # c1, d1 and seed 2 are not in both
    assert (found.seeds, found.scenes) == (2, 2)
    assert found.by_seed == (pytest.approx(0.2), pytest.approx(0.2))
    assert found.value == pytest.approx(0.2)


def test_what_all_scenes_share_is_certain_and_what_they_do_not_is_not() -> None:
    from pays_counts import between

    names = [f"{chr(97 + k)}1" for k in range(20)]
    base = {s: dict.fromkeys(names, 0.5) for s in range(3)}
    same = between(_driven({s: dict.fromkeys(names, 0.6) for s in range(3)}), _driven(base))
    assert (same.low, same.high) == (pytest.approx(0.1), pytest.approx(0.1))
    mixed = {s: {id: 0.5 + 0.4 * (-1) ** k for k, id in enumerate(names)} for s in range(3)}
    wide = between(_driven(mixed), _driven(base))
    assert wide.low is not None
    assert wide.high is not None
    assert wide.low < -0.1 < 0.1 < wide.high
    seeds = between(_driven({s: dict.fromkeys(names, 0.5 + 0.2 * (s - 1)) for s in range(3)}), _driven(base))
    assert seeds.low == pytest.approx(-0.2)  # trainings differ, and scenes alone would hide it
    assert seeds.high == pytest.approx(0.2)


def test_scenes_that_the_oracle_cannot_drive_are_left_out() -> None:
    from pays_counts import Driven

    rows = {"a1": [0.9, True, "a", True], "b1": [0.1, True, "b", False]}
    driven = Driven.of({0: {"rows": rows, "failed": 2}})
    assert (driven.scores(), driven.at_fault(), driven.failed) == ([0.9], 1.0, 2)


@pytest.mark.parametrize(
    ("seeds", "low", "high", "answer"),
    [(3, 0.01, 0.2, "yes"), (3, -0.2, -0.01, "no: it costs"), (3, -0.1, 0.1, "not shown"),
     (2, 0.01, 0.2, "2 of 3 seeds: no answer yet")],
)  # fmt: skip
def test_an_answer_needs_an_interval_on_one_side_and_all_seeds(
    seeds: int, low: float, high: float, answer: str
) -> None:
    from pays_counts import Difference
    from pays_page import said

    assert said(Difference(0.05, low, high, seeds, 9, ()), 3) == answer


def test_what_was_not_run_says_so() -> None:
    from pays_page import page, summary
    from trace_pays import found, trainings

    about = {"size": "nano", "steps": 6000, "batch": 64, "seeds": 3, "scenes": 120}
    text = page(found({}, 3), trainings({}, 3), about)
    assert "**Not run yet.**" in text
    rows = [line for line in text.splitlines() if line.startswith("| `") or "| own:" in line]
    assert len(rows) == 8
    assert all("not run" in row for row in rows)
    assert set(summary(found({}, 3))["scores"].values()) == {None}


def test_what_was_cut_off_goes_on_and_arms_differ_in_nothing_but_the_trace(tmp_path: Path) -> None:
    import trace_pays
    from waytrace.learn.config import SftConfig
    from waytrace.learn.stages import OutOfTimeError, Stages

    learned: list[SftConfig] = []
    drives: list[str] = []

    def learn(config: SftConfig, out: Path, **_: Any) -> Any:
        learned.append(config)
        return SimpleNamespace(finished=True, checkpoint=out, step=config.steps, figures={"waypoint_m": {}}, ended="")

    def evaluate(spec: str, suite: Any, **_: Any) -> Any:
        if len(drives) == 3 and "cut" not in drives:
            drives.append("cut")
            raise OutOfTimeError("over")
        drives.append(Path(spec).name)
        rows = [{"id": "a", "score": 0.5, "terms": {}, "cluster": "a", "oracle": {"clean": True}}]
        return SimpleNamespace(meta={"scenarios": rows}, errors=[])

    base = SftConfig(("s",), size="nano", steps=5, warmup=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trace_pays, "train_sft", learn)
        patch.setattr(trace_pays, "evaluate", evaluate)
        patch.setattr(trace_pays, "checkpoint_hash", str)
        with pytest.raises(OutOfTimeError):
            trace_pays.matrix(Stages(tmp_path), base, 2, 4, 1)
        stages = Stages(tmp_path)
        trace_pays.matrix(stages, base, 2, 4, 1)
    one = ["own-{}:trace:once", "own-{}:fast:once", "none-{}:fast:once", "shuffled-{}:trace:once"]
    assert [d for d in drives if d != "cut"] == [name.format(seed) for seed in range(2) for name in one]
    assert [(c.trace, c.seed) for c in learned] == [(arm, seed) for seed in range(2) for arm in trace_pays.ARMS]
    assert {replace(c, trace="own", seed=0) for c in learned} == {base}
    driven = trace_pays.found(stages.stamps(), 2)
    assert all(d.scores() == [0.5, 0.5] for d in driven.values())


def test_the_page_alone_can_be_written_where_nothing_was_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    import sys

    import trace_pays

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["x", "--page-only", "--folder", str(tmp_path), "--page", str(tmp_path / "p.md")])
        assert trace_pays.main() == 0
    assert (tmp_path / "p.md").read_text().startswith("# Does the trace pay?")
    assert '"scores"' in capsys.readouterr().out
