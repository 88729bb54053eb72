"""The score's terms as a reader meets them: names, weights, why one was left out, the total worked out in figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from waytrace.scenario import LightState, Scenario
from waytrace.score import WEIGHTS


@dataclass(frozen=True)
class Term:
    """One term of the closed-loop score."""

    key: str
    name: str
    rule: str

    @property
    def weight(self) -> int:
        """Its weight in the mean that the factors multiply; 0 for a factor."""
        return WEIGHTS.get(self.key, 0)


TERMS = (
    Term("NC", "No at-fault collision", "0 after striking a road user, 0.5 once with a static object"),
    Term("DAC", "Drivable area", "0 once a corner is more than 0.3 m beyond it"),
    Term("MP", "Making progress", "0 below a fifth of the oracle's progress"),
    Term("DDC", "Driving direction", "0.5 from 2 m against the lane within 1 s, 0 from 6 m"),
    Term("TLC", "Traffic light", "0 after entering on red"),
    Term("EP", "Progress", "along the route, as a share of the oracle's"),
    Term("TTC", "Time to collision", "0 once it falls below 0.95 s"),
    Term("SL", "Speed limit", "1 less the mean overspeed in units of 2.23 m/s"),
    Term("C", "Comfort", "acceleration, jerk, yaw rate and yaw acceleration within bounds"),
)


def why_left_out(key: str, scenario: Scenario) -> str:
    """Why a term that is not among the applied ones could not apply to this scenario."""
    if key == "TLC" and len(scenario.lights.lane) == 0:
        return "no light in the map"
    if key == "TLC" and (scenario.lights.state == LightState.UNKNOWN).all():
        return "no light shows a known state"
    if key == "SL" and not np.isfinite(scenario.map.speed_limit_mps).any():
        return "no speed limit in the map"
    if key in ("EP", "MP"):
        return "no oracle's progress"
    if key == "DAC" and len(scenario.map.drivable) == 0:
        return "no drivable area in the map"
    if key == "C":
        return "the drive is too short"
    return "does not apply here"


def terms_table(scenario: Scenario, terms: Mapping[str, float]) -> list[dict[str, Any]]:
    """One row per term of the score, applied or not; terms this version does not know come last, as they are."""
    known = {t.key for t in TERMS}
    rows: list[dict[str, Any]] = []
    for term in TERMS:
        row: dict[str, Any] = {"key": term.key, "name": term.name, "weight": term.weight, "rule": term.rule}
        if term.key in terms:
            row["value"] = round(float(terms[term.key]), 4)
        else:
            row["why"] = f"left out: {why_left_out(term.key, scenario)}"
        rows.append(row)
    rows += [
        {"key": key, "name": key, "weight": 0, "rule": "", "value": round(float(value), 4)}
        for key, value in terms.items()
        if key not in known
    ]
    return rows


def formula(terms: Mapping[str, float]) -> tuple[str, str]:
    """The total in symbols and in figures, over the applied terms only, with the weights renormalised."""
    factors = [t for t in TERMS if t.weight == 0 and t.key in terms]
    parts = [t for t in TERMS if t.weight and t.key in terms]
    whole = sum(t.weight for t in parts)
    symbols, figures = " · ".join(t.key for t in factors), " · ".join(_short(terms[t.key]) for t in factors)
    if parts:
        mean = " + ".join(f"{t.weight}\u00a0{t.key}" for t in parts)
        mean_figures = " + ".join(f"{t.weight}·{_short(terms[t.key])}" for t in parts)
        symbols = f"{symbols} · ({mean}) / {whole}" if symbols else f"({mean}) / {whole}"
        figures = f"{figures} · ({mean_figures}) / {whole}" if figures else f"({mean_figures}) / {whole}"
    return symbols, figures


def _short(value: float) -> str:
    return f"{float(value):.3f}".rstrip("0").rstrip(".") or "0"
