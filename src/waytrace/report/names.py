"""Names: of files, after ids that come from strangers and may hold anything; of drives, so that each is told apart."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
_LONGEST = 80


def file_names(ids: Iterable[str]) -> list[str]:
    """One ``.html`` name per id: ASCII letters, digits, ``.``, ``_``, ``-``; unique, letter case aside.

    A name depends on its id (and, where two ids collide, on a digest of it), so links stay good when others are added;
    only repeated identical ids are told apart by their order.
    """
    ids = list(ids)
    plain = [_sanitise(i) for i in ids]
    count: dict[str, int] = {}
    for name in plain:
        count[name.lower()] = count.get(name.lower(), 0) + 1
    taken: set[str] = set()
    names = []
    for scenario_id, name in zip(ids, plain, strict=True):
        if count[name.lower()] > 1 or name != scenario_id:
            name = f"{name}-{hashlib.sha256(scenario_id.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
        candidate, n = name, 2
        while candidate.lower() in taken:
            candidate, n = f"{name}-{n}", n + 1
        taken.add(candidate.lower())
        names.append(f"{candidate}.html")
    return names


def planner_labels(drives: Iterable[tuple[str, str]]) -> list[str]:
    """A label per (planner, traffic): the planner; with the traffic, then a number, where that is not enough."""
    drives = list(drives)
    labels = [planner for planner, _ in drives]
    if len(set(labels)) < len(labels):
        labels = [f"{planner} · {traffic}" if traffic else planner for planner, traffic in drives]
    total = {label: labels.count(label) for label in labels}
    seen: dict[str, int] = {}
    for k, label in enumerate(labels):
        seen[label] = seen.get(label, 0) + 1
        labels[k] = label if total[label] == 1 else f"{label} ({seen[label]})"
    return labels


def _sanitise(scenario_id: str) -> str:
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", scenario_id)[:_LONGEST].strip("._-")
    return name if name and name.split(".")[0].lower() not in _RESERVED else f"scene_{name}".rstrip("_")
