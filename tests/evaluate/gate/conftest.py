"""Results made up scene by scene, as folders on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from waytrace.evaluate import Result, load_result

Make = Callable[..., Result]


def row(scene: str, score: float, *, at_fault: bool = False, red_light: bool = False, **more: Any) -> dict[str, Any]:
    """One row whose terms give ``score``: all weighted terms at it, or none where an event makes it 0."""
    family, _, number = scene.partition("/")
    terms = {"EP": score, "TTC": score, "SL": score, "C": score, "NC": 1.0}
    if at_fault or red_light:
        terms |= {"NC" if at_fault else "TLC": 0.0}
        score = 0.0
    events = [{"row": 3, "time_s": 0.3, "kind": "front", "at_fault": True, "agent_id": "7", "cause": "It struck 7."}]
    return {
        "id": scene, "source": "catalogue", "family": family, "cluster": f"{family}/{int(number) // 2}",
        "layout": "", "score": score, "terms": terms, "applied": list(terms),
        "figures": {"at_fault": float(at_fault), "red_light": float(red_light), "min_ttc_s": None},
        "events": events if at_fault else [],
        "oracle": {"clean": True, "preventable": True, "progress_m": 1.0, "score": 1.0, "proposal": "frozen"},
        "end": "horizon", "seconds": 0.1, "digest": f"{scene}:{score}", **more,
    }  # fmt: skip


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a result folder of rows, a mapping of scene to score or to a whole row; ``errors`` names failed scenes."""

    def written(
        name: str, rows: Mapping[str, float | dict[str, Any]], *, errors: tuple[str, ...] = (), **meta: Any
    ) -> Result:
        folder = tmp_path / name
        folder.mkdir()
        scenes = [r if isinstance(r, dict) else row(scene, r) for scene, r in rows.items()]
        record = {
            "schema": "waytrace.result/1", "planner": name, "label": name, "suite": "made-up", "suite_hash": "5" * 64,
            "store": "", "store_hash": "6" * 64, "traffic": "mixed", "style": "normal", "seed": 0, "replan_ticks": 5,
            "admitted_only": True, "code": "7" * 64, "environment": {"hash": "8" * 64},
            "result_hash": f"{name:0<64}", "score": 0.5,
            "errors": [{"id": e, "message": "ValueError: no", "log": "logs/0"} for e in errors],
            "scenarios": scenes, **meta,
        }  # fmt: skip
        (folder / "result.json").write_text(json.dumps(record))
        return load_result(folder)

    return written


@pytest.fixture
def scores() -> dict[str, float]:
    """Scene to score: 4 families of 40 scenes, two a cluster, none perfect."""
    return {
        f"{family}/{k:03d}": 0.6 + 0.3 * ((7 * k + 3 * f) % 11) / 11
        for f, family in enumerate(("cut-in", "merge", "red-light", "work-zone"))
        for k in range(40)
    }
