"""What an oracle achieves in a scenario: the reference for progress, worked out once and kept."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from waytrace.planners import oracle_reference
from waytrace.scenario import Scenario
from waytrace.score import score_rollout

from .digest import canonical, code_digest


def cache_folder() -> Path:
    """``WAYTRACE_CACHE``, else ``XDG_CACHE_HOME/waytrace``, else ``~/.cache/waytrace``."""
    if own := os.environ.get("WAYTRACE_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "waytrace"


@dataclass(frozen=True)
class Reference:
    """What the oracle made of a scenario."""

    progress_m: float
    """Metres along the route."""
    clean: bool
    """Whether it found a drive that keeps every rule. Where it did not, the scenario may have no solution."""
    proposal: str
    """Which of the oracle's drivers it was; ``frozen`` where a suite holds the figures."""
    score: float
    """The closed-loop score of that drive."""
    preventable: bool
    """Whether an accident can be prevented: by the driver models where the family has them, else by the oracle."""


def reference(scenario: Scenario, content: str, *, traffic: str, style: str, seed: int) -> Reference:
    """What the privileged oracle, which knows the traffic, makes of a scenario: the measure of progress.

    The search is the dearest part of an evaluation and does not depend on the planner, so its answer lies in
    :func:`cache_folder` under ``reference/``, keyed by ``content`` (the scenario's hash), traffic, style, seed and
    the package's source. Deleting the folder costs time only.
    """
    identity = {"scenario": content, "traffic": traffic, "style": style, "seed": seed, "code": code_digest()}
    key = hashlib.sha256(canonical(identity)).hexdigest()
    path = cache_folder() / "reference" / key[:2] / f"{key}.json"
    try:
        return Reference(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        pass  # absent or damaged: worked out again below
    found = oracle_reference(scenario, traffic=traffic, style=style, seed=seed)
    score = score_rollout(scenario, found.rollout, found.progress_m).score
    tag = scenario.provenance.details.get("preventable")
    record = Reference(
        float(found.progress_m),
        bool(found.clean),
        found.proposal,
        float(score),
        bool(found.clean if tag is None else tag),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w") as file:
        json.dump(asdict(record), file)
    Path(temporary).replace(path)
    return record
