"""What differs between two traces, field by field."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

from .document import to_json
from .file import TraceLine


class Difference(NamedTuple):
    """One field that two traces of one moment do not agree on."""

    scenario: str
    tick: int
    field: str
    """``decision.longitudinal``; items of lists go by what they point at: ``entities[agent:5].relation``."""
    left: str
    """``-`` where only the other one has it."""
    right: str


NONE = "-"


def diff(left: TraceLine, right: TraceLine) -> tuple[Difference, ...]:
    """The fields in which two traces of one moment differ; how they were made (the header) is none of them."""
    a, b = fields_of(left), fields_of(right)
    found = [
        Difference(left.scenario, left.tick, name, a.get(name, NONE), b.get(name, NONE))
        for name in dict.fromkeys(chain(a, b)) if a.get(name) != b.get(name)
    ]  # fmt: skip
    if left.plan is not None and right.plan is not None:
        far = max(
            math.hypot(p[0] - q[0], p[1] - q[1])
            for p, q in zip(left.plan.waypoints.tolist(), right.plan.waypoints.tolist(), strict=True)
        )
        if far > 0.01:
            found.append(Difference(left.scenario, left.tick, "plan.waypoints", "", f"up to {far:.2f} m apart"))
    return tuple(found)


def diff_files(left: Iterable[TraceLine], right: Iterable[TraceLine]) -> Iterator[Difference]:
    """The differences of two trace files; a decision that one of them lacks is one."""
    a = {(line.scenario, line.tick): line for line in left}
    met = set()
    for line in right:
        key = line.scenario, line.tick
        met.add(key)
        if key in a:
            yield from diff(a[key], line)
        else:
            yield Difference(*key, "decision", NONE, "is there")
    for key in a:
        if key not in met:
            yield Difference(*key, "decision", "is there", NONE)


def fields_of(line: TraceLine) -> dict[str, str]:
    """Every field of a trace as text, by its path."""
    record = to_json(line.header, line.trace)
    record.pop("header")
    out: dict[str, str] = {}
    for stage, value in record.items():
        _flatten(stage, value, out)
    return out


def _flatten(at: str, value: Any, out: dict[str, str]) -> None:
    if isinstance(value, dict):
        for name, item in value.items():
            _flatten(f"{at}.{name}" if at else name, item, out)
    elif isinstance(value, list):
        names = [_name(item, k) for k, item in enumerate(value)]
        for k, item in enumerate(value):
            name = names[k] if names.count(names[k]) == 1 else f"{names[k]} {names[: k + 1].count(names[k])}"
            _flatten(f"{at}[{name}]", item, out)
    else:
        out[at] = NONE if value is None else str(value)


def _name(item: Any, number: int) -> str:
    """What an item of a list goes by: option, end or reference; else its number."""
    for key in ("option", "t_end", "ref"):
        if isinstance(item, dict) and isinstance(item.get(key), str):
            return str(item[key])
    return str(number)
