"""Verdicts: what a check says about one claim of a trace."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from .finding import Finding
from .types import TraceError

Kind = Literal["present", "forecast", "interventional"]
KINDS = ("present", "forecast", "interventional")
VALUES = ("true", "false", "undetermined", "not_judged")


@dataclass(frozen=True)
class Verdict:
    """One claim judged.

    Claims about the present are true, false or undetermined, and undetermined is never a pass. Forecasts and
    interventional claims are ``not_judged`` here: they belong to calibration and to the audit, and are in no rate.
    """

    claim: str
    """Path of the claim: ``entities[2].relation``, ``decision.longitudinal``, ``plan.segments[1].lon``."""
    kind: Kind
    value: str
    rule: str
    """Name of the rule that judged."""
    slack: float = 0.0
    """How far from turning, in ``unit``; negative for false."""
    unit: str = ""
    evidence: Mapping[str, float | str] = field(default_factory=dict)
    why: str = ""
    """One English sentence."""

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {**asdict(self), "evidence": dict(self.evidence)}

    @classmethod
    def from_json(cls, record: object) -> Verdict:
        """What :meth:`to_json` wrote. Raises :class:`TraceError` for anything else."""
        names = set(cls.__dataclass_fields__)
        if not isinstance(record, dict) or not {"claim", "kind", "value", "rule"} <= set(record) <= names:
            raise TraceError(f"a verdict is an object with claim, kind, value, rule and at most {sorted(names)}")
        for name, allowed in (("kind", KINDS), ("value", VALUES)):
            if record[name] not in allowed:
                raise TraceError(f"verdict.{name} is {record[name]!r}; it is one of {', '.join(allowed)}")
        for name in ("claim", "rule", "unit", "why"):
            if not isinstance(record.get(name, ""), str):
                raise TraceError(f"verdict.{name} is {record[name]!r}; it is a text")
        slack = record.get("slack", 0.0)
        if type(slack) not in (int, float) or not math.isfinite(slack):
            raise TraceError(f"verdict.slack is {slack!r}; it is a finite number")
        evidence = record.get("evidence", {})
        if not isinstance(evidence, dict) or not all(type(v) in (int, float, str) for v in evidence.values()):
            raise TraceError("verdict.evidence is a flat object of numbers and texts")
        return cls(**{**record, "slack": float(slack)})

    @classmethod
    def of(cls, claim: str, rule: str, finding: Finding, said: str) -> Verdict:
        """A claim about the present, as a rule found it; ``said`` is what was claimed, in words."""
        by = f" by {abs(finding.slack):.2f} {finding.unit}" if finding.unit else ""
        why = (
            f'"{said}" '
            + {
                "true": f'is true: the tightest condition, "{finding.decided_by}", holds{by}.',
                "false": f'is false: the condition "{finding.decided_by}" fails{by}.',
                "undetermined": f'cannot be told: the condition "{finding.decided_by}" is too near to turning.',
            }[finding.value]
        )
        return cls(
            claim, "present", finding.value, rule, finding.slack, finding.unit, _rounded(finding.evidence), why
        )  # fmt: skip


def not_judged(claim: str, kind: Literal["forecast", "interventional"], rule: str, why: str) -> Verdict:
    """A claim that no kinematic rule may call true or false."""
    return Verdict(claim, kind, "not_judged", rule, why=why)


def undetermined(claim: str, rule: str, why: str) -> Verdict:
    """A claim about the present that could not be judged."""
    return Verdict(claim, "present", "undetermined", rule, why=why)


def _rounded(evidence: Mapping[str, float | str]) -> dict[str, float | str]:
    return {k: v if isinstance(v, str) else _number(v) for k, v in evidence.items()}


def _number(value: float) -> float:
    return round(float(min(max(value, -1e6), 1e6)), 3) if not math.isnan(value) else 0.0
