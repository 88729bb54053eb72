"""How a rule comes to true, false or undetermined: by margins, of which the tightest decides."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal, NamedTuple

Value = Literal["true", "false", "undetermined"]


class Margin(NamedTuple):
    """One condition of a rule: it holds by ``room`` (negative: fails by so much)."""

    what: str
    room: float
    unit: str
    band: float = 0.0
    """Within this to either side the condition is undetermined."""

    @property
    def scaled(self) -> float:
        """Room by which conditions in different units are compared."""
        return self.room / _SCALE.get(self.unit, 1.0)


_SCALE = {"m": 1.0, "s": 1.0, "m/s": 1.0, "m/s2": 1.0, "deg": 20.0, "": 1.0}


class Finding(NamedTuple):
    """What a rule says, and how far it is from saying something else."""

    value: Value
    slack: float
    """In ``unit``; negative for false."""
    unit: str
    decided_by: str
    """The condition that decides, in words."""
    evidence: dict[str, float | str]

    def with_evidence(self, **more: float | str) -> Finding:
        """The same with more evidence."""
        return self._replace(evidence=self.evidence | more)


def all_of(margins: Iterable[Margin], **evidence: float | str) -> Finding:
    """True where every condition holds, false where one fails, undetermined where the tightest are too near to tell."""
    given = list(margins)
    failing = [m for m in given if m.room < -m.band]
    near = [m for m in given if abs(m.room) <= m.band and m.band > 0.0]
    pool, value = (failing, "false") if failing else (near, "undetermined") if near else (given, "true")
    least = min(pool, key=lambda m: m.scaled)
    return Finding(value, _finite(least.room), least.unit, least.what, evidence)  # type: ignore[arg-type]


def first_of(findings: Iterable[Finding]) -> Finding:
    """The first that holds; else the one that is nearest to it. The rest is not looked at."""
    met = []
    for finding in findings:
        if finding.value == "true":
            return finding
        met.append(finding)
    return any_of(met)


def any_of(findings: Iterable[Finding]) -> Finding:
    """The one that holds best."""
    rank = {"true": 2, "undetermined": 1, "false": 0}
    return max(findings, key=lambda f: (rank[f.value], f.slack))


def negated(margin: Margin) -> Margin:
    """The condition that the other does not hold."""
    return margin._replace(room=-margin.room)


def either(*margins: Margin) -> Margin:
    """The condition that one of these holds: the one with most room."""
    return max(margins, key=lambda m: (m.room >= 0.0, m.scaled))


def least(what: str, value: float, limit: float, unit: str, band: float = 0.0) -> Margin:
    """``value`` is at least ``limit``."""
    return Margin(what, value - limit, unit, band)


def most(what: str, value: float, limit: float, unit: str, band: float = 0.0) -> Margin:
    """``value`` is at most ``limit``."""
    return Margin(what, limit - value, unit, band)


def fact(what: str, holds: bool) -> Margin:
    """Something that is so or is not."""
    return Margin(what, 1.0 if holds else -1.0, "")


def _finite(value: float) -> float:
    return float(min(max(value, -1e6), 1e6)) if not math.isnan(value) else -1e6
