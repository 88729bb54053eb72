"""What an oracle achieves in a scenario: the reference for progress, worked out once and kept."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path

from waytrace.planners import oracle_reference
from waytrace.scenario import Scenario

from .digest import canonical, code_digest


def cache_folder() -> Path:
    """``WAYTRACE_CACHE``, else ``XDG_CACHE_HOME/waytrace``, else ``~/.cache/waytrace``."""
    if own := os.environ.get("WAYTRACE_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "waytrace"


def reference_progress_m(scenario: Scenario, content: str, *, traffic: str, style: str, seed: int) -> float:
    """Metres along the route that the privileged oracle makes without breaking a rule.

    The search is the dearest part of an evaluation and does not depend on the planner, so its answer lies in
    :func:`cache_folder` under ``reference/``, keyed by ``content`` (the scenario's hash), traffic, style, seed and
    the package's source. Deleting the folder costs time only.
    """
    identity = {
        "scenario": content, "traffic": traffic, "style": style, "seed": seed, "code": code_digest(),
    }  # fmt: skip
    key = hashlib.sha256(canonical(identity)).hexdigest()
    path = cache_folder() / "reference" / key[:2] / f"{key}.json"
    try:
        return float(json.loads(path.read_text())["progress_m"])
    except (OSError, ValueError, KeyError):
        pass  # absent or damaged: worked out again below
    progress = float(oracle_reference(scenario, traffic=traffic, style=style, seed=seed))
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w") as file:
        json.dump({"progress_m": progress, "scenario_id": scenario.id}, file)
    Path(temporary).replace(path)
    return progress
