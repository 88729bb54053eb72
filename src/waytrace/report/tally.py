"""What was found of the claims of a result, counted by kind, and what was false most often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from waytrace.trace.verdicts import KINDS

from .figures import Cell, mean_cell
from .traces import Told

KIND_NAMES = {"present": "about the scene", "forecast": "forecasts", "interventional": "by intervention"}
PLAN = "about the plan"
_MOST_RULES = 6


@dataclass(frozen=True)
class ClaimRow:
    """Claims of one kind. Of forecasts "true" says what then came; they are judged by calibration alone."""

    kind: str
    true: int
    false: int
    undetermined: int | None
    """None: not counted."""
    share: Cell | None
    """Mean over the scenes of the share that is true, of those that are true or false."""


@dataclass(frozen=True)
class FalseRule:
    """A rule that claims about the scene broke."""

    rule: str
    false: int
    judged: int
    href: str
    """The first moment at which one was false."""


@dataclass
class Tally:
    """Counts over the decisions of one result, scene by scene."""

    decisions: int = field(default=0, init=False)
    _counts: dict[str, Counter[str]] = field(default_factory=dict, init=False)
    _shares: dict[str, list[tuple[float, str]]] = field(default_factory=dict, init=False)
    """By kind: share that is true and cluster, of each scene."""
    _rules: dict[str, Counter[str]] = field(default_factory=dict, init=False)
    _first: dict[str, str] = field(default_factory=dict, init=False)

    def add(self, told: Sequence[Told], cluster: str, href: str, dt_s: float) -> None:
        """Count one drive, whose page is at ``href``."""
        self.decisions += len(told)
        here: dict[str, Counter[str]] = {}
        for decision in told:
            for verdict in decision.verdicts:
                here.setdefault(verdict.kind, Counter())[verdict.value] += 1
                if verdict.kind == "present" and verdict.value in ("true", "false"):
                    self._rules.setdefault(verdict.rule, Counter())[verdict.value] += 1
                    if verdict.value == "false":
                        self._first.setdefault(verdict.rule, f"{href}#t={decision.tick * dt_s:.1f}&follow=1")
        for kind, counts in here.items():
            self._counts.setdefault(kind, Counter()).update(counts)
            self._share(kind, counts["true"], counts["false"], cluster)

    def claims(self, rows: Sequence[Mapping[str, Any]]) -> list[ClaimRow]:
        """A row for every kind of which any was judged; the result's ``rows`` count those bound to the plan."""
        found = [
            ClaimRow(KIND_NAMES[kind], n["true"], n["false"], n["undetermined"], mean_cell(self._shares.get(kind, ())))
            for kind in KINDS if (n := self._counts.get(kind)) and n["true"] + n["false"] + n["undetermined"]
        ]  # fmt: skip
        bound = [row for row in rows if row.get("trace")]
        if bound:
            for row in bound:
                self._share(PLAN, row["trace"]["plan_true"], row["trace"]["plan_false"], row["cluster"])
            true, false = (sum(row["trace"][f"plan_{value}"] for row in bound) for value in ("true", "false"))
            found.insert(1, ClaimRow(PLAN, true, false, None, mean_cell(self._shares.pop(PLAN, ()))))
        return found

    def false_rules(self) -> list[FalseRule]:
        """The rules that were broken most often, worst first."""
        broken = [
            FalseRule(rule.replace("_", " "), n["false"], n.total(), self._first[rule])
            for rule, n in self._rules.items() if n["false"]
        ]  # fmt: skip
        return sorted(broken, key=lambda row: (-row.false, row.rule))[:_MOST_RULES]

    def _share(self, kind: str, true: int, false: int, cluster: str) -> None:
        if true + false:
            self._shares.setdefault(kind, []).append((true / (true + false), cluster))
