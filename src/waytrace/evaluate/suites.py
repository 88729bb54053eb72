"""Named sets of generated scenarios, the same for everyone who runs them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from waytrace.catalogue import generate_many
from waytrace.scenario import WaytraceError
from waytrace.scenario.store import ScenarioWriter

from .digest import canonical, code_digest
from .reference import cache_folder

SUITES: dict[str, int] = {"smoke": 40, "pr": 600}
"""Name and number of scenarios, from the catalogue's split ``select``; ``smoke`` is part of ``pr``."""


def suite_store(name: str, *, note: Callable[[str], None] | None = None) -> Path:
    """Path of the store that holds suite ``name``, generated at first use into the cache folder.

    The families follow one another in turn, with seeds from 0 on. Which scenarios the oracle passes depends on the
    traffic; ``evaluate(..., admitted_only=True)`` counts those alone. ``note`` is told when a suite is being made.
    Raises :class:`WaytraceError` for another name.
    """
    if name not in SUITES:
        raise WaytraceError(f"There is no suite {name!r}; there are {', '.join(SUITES)}.")
    key = hashlib.sha256(canonical({"suite": name, "count": SUITES[name], "code": code_digest()})).hexdigest()[:12]
    path = cache_folder() / "suites" / f"{name}-{key}"
    if not path.exists():
        if note:
            note(f"generating suite {name}: {SUITES[name]} scenarios into {path}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with ScenarioWriter(path) as writer:
            for scenario in generate_many(SUITES[name], split="select"):
                writer.add(scenario)
    return path
