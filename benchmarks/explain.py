"""Why a scenario scored low, in words: shared by the tables of recorded drives and of suites."""

from __future__ import annotations

import re
from typing import Any

LOW = 0.5
"""Every scenario that scores less is explained."""

REASONS = {
    "NC": "at-fault collision",
    "DAC": "left the drivable area",
    "MP": "no progress",
    "DDC": "against the driving direction",
    "TLC": "red light",
}
"""Terms that bring a score to 0, in words."""
UUID = re.compile(r"\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")


def zero_terms(row: dict[str, Any]) -> list[str]:
    """The multiplying terms that are 0."""
    return [term for term in REASONS if row["terms"].get(term) == 0.0]


def explanation(row: dict[str, Any]) -> str:
    """One line for a scenario below :data:`LOW`."""
    zero = zero_terms(row)
    if zero:
        said = ", ".join(_why(term, row) for term in zero)
    else:
        low = sorted((value, term) for term, value in row["terms"].items() if value < 0.9)
        said = ", ".join(f"{term} {value:.2f}" for value, term in low)
        figures = row["figures"]
        if row["terms"].get("EP", 1.0) < 0.9:
            said += f" ({figures['progress_m']:.1f} m of the oracle's {figures['reference_progress_m']:.1f} m)"
    return f"- `{row['id']}`: {row['score']:.2f}; {said} (ended: {row['end']})"


def low_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Scenarios below :data:`LOW`, the worst first."""
    return sorted((row for row in rows if row["score"] < LOW), key=lambda row: (row["score"], row["id"]))


def _why(term: str, row: dict[str, Any]) -> str:
    """A term that is 0: with the collision's or red light's cause, or the metres of too little progress."""
    causes = [e["cause"] for e in row["events"] if e["at_fault"] and (e["kind"] == "red_light") == (term == "TLC")]
    if term in ("NC", "TLC") and causes:
        return UUID.sub(r"\1", " ".join(causes)).rstrip(".")
    figures = row["figures"]
    if term == "MP" and figures.get("progress_m") is not None and figures.get("reference_progress_m") is not None:
        return (
            f"{REASONS[term]} ({figures['progress_m']:.1f} m of the oracle's {figures['reference_progress_m']:.1f} m)"
        )
    return REASONS[term]
