"""Traffic sign ids of the countries CommonRoad names, as far as they set a limit or regulate the entry of a junction.

Source: the sign tables of the CommonRoad 2020a format documentation. Where a country's own numbers are not here its
signs are left aside.
"""

from __future__ import annotations

import re

from waytrace.scenario import LaneControl

SPEED_LIMIT_IDS = {
    "274", "274.1", "R2-1", "r2-1", "r301", "R301", "b14", "B14", "B21a", "c43", "C43", "50", "3.24", "38", "r15",
    "r-32", "b31", "B31", "B20a", "311", "313", "323",
}  # fmt: skip

CONTROL_IDS = {
    **dict.fromkeys(("206", "R1-1", "r1-1", "r2", "R2", "b5", "B5", "ab4", "AB4", "2.5", "B2"), LaneControl.STOP),
    **dict.fromkeys(("205", "R1-2", "r1-2", "r1", "R1", "b1", "B1", "ab3a", "AB3a", "2.4"), LaneControl.YIELD),
    **dict.fromkeys(("306", "301", "r3", "R3", "b9", "B9", "ab6", "AB6", "2.1", "c1"), LaneControl.PRIORITY),
}

MAX_LIMIT_MPS = 45.0
"""162 km/h: a written limit above it cannot be metres per second, CommonRoad's unit, and is read as km/h."""


_WRITTEN = re.compile(r"\s*(\d{1,4}(?:\.\d*)?)\s*(m/s|mps|km/h|kmh|kph|mph)?\s*", re.IGNORECASE)
_UNITS = {"m/s": 1.0, "mps": 1.0, "km/h": 1 / 3.6, "kmh": 1 / 3.6, "kph": 1 / 3.6, "mph": 0.44704}


def written_limit_mps(text: str) -> float:
    """A sign's additional value in m/s, with or without a unit beside it; NaN where it is no limit."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return float("nan")
    value, unit = float(found[1]), (found[2] or "").lower()
    return value * _UNITS[unit] if unit else limit_mps(value)


def limit_mps(value: float) -> float:
    """A limit in m/s as CommonRoad has it (signs of USA files read 13.4112 for 30 mph); NaN where it means none."""
    if value <= 0:
        return float("nan")
    if value <= MAX_LIMIT_MPS:
        return value
    return value / 3.6 if value <= MAX_LIMIT_MPS * 3.6 else float("nan")
