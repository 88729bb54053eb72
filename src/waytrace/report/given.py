"""What other commands found, given to a report as JSON: the outcome of a gate, causal figures."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from waytrace.scenario import WaytraceError

Interval = tuple[float, float]

_MOST_FIGURES = 60
CAUSAL_COLUMNS = {
    "necessity": "N", "invariance": "I", "sufficiency": "S", "faithfulness": "F", "between": "between",
    "direction": "direction", "cause_set_f1": "cause-set F1", "abstains": "abstains",
}  # fmt: skip
"""What an audit says of each claimant, and what it is called above its column."""
_FELL, _UNDECIDED, _STOOD = ("regressed", "failed"), ("inconclusive",), ("improved", "equivalent", "passed")


@dataclass(frozen=True)
class GateRow:
    """What one gate says."""

    gate: str
    title: str
    state: str
    says: str
    details: Sequence[str]

    @property
    def grade(self) -> str:
        """How its state is coloured."""
        return _grade(self.state)


@dataclass(frozen=True)
class FamilyDifference:
    """How a family's mean score moved."""

    family: str
    scenes: int
    difference: float
    interval: Interval | None


@dataclass(frozen=True)
class Gate:
    """The outcome of ``waytrace gate``."""

    verdict: str
    allowed: bool
    difference: float | None
    interval: Interval | None
    detectable_effect: float | None
    rows: Sequence[GateRow]
    families: Sequence[FamilyDifference]

    @property
    def grade(self) -> str:
        """How its verdict is coloured."""
        return _grade(self.verdict)

    @property
    def reach(self) -> float:
        """The largest difference of a family, bounds included: how wide their axis has to be."""
        ends = [abs(v) for f in self.families for v in (f.difference, *(f.interval or ()))]
        return max(ends, default=0.0) or 1.0


@dataclass(frozen=True)
class Figure:
    """A named figure with its interval, where one is given."""

    name: str
    value: float
    interval: Interval | None


@dataclass(frozen=True)
class Claimant:
    """What was found of one claimant of a causal audit; None where it was not asked."""

    name: str
    figures: Sequence[Figure | None]
    """One for each of ``CAUSAL_COLUMNS``."""


@dataclass(frozen=True)
class Causal:
    """The causal figures of one planner."""

    planner: str
    figures: Sequence[Figure] = ()
    """Of any other JSON than that of a causal audit."""
    claimants: Sequence[Claimant] = ()
    """Of a causal audit: the planner, its ceiling and floor, the liars."""
    sound: bool = True
    """Whether the metric passed its own test there; figures of one that did not mean nothing."""

    @property
    def columns(self) -> Sequence[str]:
        """What stands above the figures of claimants."""
        return tuple(CAUSAL_COLUMNS.values())


def read_gate(path: Path) -> Gate:
    """The outcome that ``waytrace gate --json`` printed into a file. Raises WaytraceError for anything else."""
    record = _read(path, "waytrace gate RESULT --baseline B --json > FILE")
    try:
        rows = [
            GateRow(str(g["gate"]), str(g["title"]), str(g["state"]), str(g["says"]), [str(d) for d in g["details"]])
            for g in record["gates"]
        ]  # fmt: skip
        scores: Mapping[str, Any] = next((g["figures"] for g in record["gates"] if g["gate"] == "G4"), {})
        families = [
            FamilyDifference(str(f["family"]), int(f["scenes"]), float(f["difference"]), _interval(f.get("interval")))
            for f in scores.get("families") or ()
        ]  # fmt: skip
        return Gate(
            str(record["verdict"]), bool(record["allowed"]), _number(record.get("difference")),
            _interval(record.get("interval")), _number(record.get("detectable_effect")), rows, families,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WaytraceError(
            f"{path} is no outcome of a gate ({type(error).__name__}: {error}). Write it with "
            "`waytrace gate RESULT --baseline B --json > FILE`."
        ) from error


def read_causal(path: Path) -> Causal:
    """Every number of a JSON object by its name, with the interval that stands beside it.

    A figure is a number, or an object with ``value``; its interval is two numbers under ``interval`` or under ``low``
    and ``high`` in it, or beside it under its own name and ``_interval``. Of what ``waytrace causes`` writes it is a
    table of who claims, the planner first, and whether the metric passed its own test. Raises WaytraceError where there
    is no number.
    """
    record = _read(path, "waytrace causes PLANNER --json > FILE")
    planner = str(record.get("label") or record.get("planner") or "")
    claimants = [
        Claimant(name, [_part(voice, part) for part in CAUSAL_COLUMNS]) for name, voice in _voices(record).items()
    ]
    if any(figure for claimant in claimants for figure in claimant.figures):
        return Causal(planner, (), claimants, record.get("sound") is not False)
    figures = list(_figures(record, ()))[:_MOST_FIGURES]
    if not figures:
        raise WaytraceError(f"{path} holds no figures: a JSON object of names and numbers is expected.")
    return Causal(planner, figures)


def _part(voice: Mapping[str, Any], part: str) -> Figure | None:
    return next(_figures({part: voice.get(part)}, ()), None)


def _voices(record: Mapping[str, Any]) -> dict[str, Any]:
    """Of what ``waytrace causes`` wrote or printed the figures by claimant, the planner first; else nothing."""
    try:
        voices = record["voices"] if "voices" in record else record["at"]["delta"]["voices"]
        honest, planner = voices["honest"], voices["planner"]
    except (KeyError, TypeError):
        return {}
    found = {"the planner": planner, "ceiling: the expert": honest}
    found |= {"floor: its plans, causes at random": voices.get("planner-random")}
    found |= {f"liar: {name}": voice for name, voice in voices.items()
              if name not in ("planner", "honest", "planner-random")}  # fmt: skip
    return {name: voice for name, voice in found.items() if isinstance(voice, dict)}


def _figures(record: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[Figure]:
    for key, value in record.items():
        name = ", ".join((*names, key.replace("_", " ")))
        if key == "interval" or key.endswith("_interval"):
            continue
        if isinstance(value, dict) and "value" in value:
            if (number := _number(value["value"])) is not None:
                bounds = value.get("interval", [value.get("low"), value.get("high")])
                yield Figure(name, number, _interval(bounds))
        elif isinstance(value, dict):
            yield from _figures(value, (*names, key.replace("_", " ")))
        elif (number := _number(value)) is not None:
            yield Figure(name, number, _interval(record.get(f"{key}_interval")))


def _read(path: Path, command: str) -> dict[str, Any]:
    """The JSON object of a file, or of its last line, where a command's other words stand before it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WaytraceError(f"{path} cannot be read: {error}. Write it with `{command}`.") from error
    for part in (text, next((line for line in reversed(text.splitlines()) if line.strip()), "")):
        try:
            record = json.loads(part)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            return record
    raise WaytraceError(f"{path} holds no JSON object. Write it with `{command}`.")


def _number(value: object) -> float | None:
    real = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if real else None  # type: ignore[arg-type]


def _interval(value: object) -> Interval | None:
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    low, high = _number(value[0]), _number(value[1])
    return None if low is None or high is None else (low, high)


def _grade(state: str) -> str:
    if state in _FELL:
        return "poor"
    return "fair" if state in _UNDECIDED else "good" if state in _STOOD else "quiet"
