"""The index of a report: every drive of every result in one table, worst first, with the way to its worst moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .figures import RunFigures
from .pages import render
from .terms import TERMS


@dataclass(frozen=True)
class IndexRow:
    """One drive: one scenario, one planner."""

    scenario_id: str
    source: str
    family: str
    planner: int
    """Index into the page's planners."""
    score: float
    terms: Mapping[str, float]
    """Applied terms only."""
    end: str
    href: str
    """Relative address of the scene page, without fragment."""
    worst_s: float = 0.0
    worst: str = ""
    admitted: bool = True
    """Whether the oracle drives the scenario without breaking a rule."""


@dataclass(frozen=True)
class PlannerSummary:
    """One result as a whole."""

    label: str
    score: float | None
    """As the result states it; None: not stated."""
    interval: tuple[float, float] | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    """What else to say of the result (suite, traffic, seed, result hash), name to text."""
    errors: Sequence[tuple[str, str]] = ()
    """Scenario id and message of every drive that failed; these are in no mean."""
    admitted_only: bool = False
    """Whether the result's means leave out scenarios that are not admitted."""


def index_page(
    rows: Sequence[IndexRow],
    planners: Sequence[PlannerSummary],
    title: str = "Waytrace report",
    figures: RunFigures | None = None,
) -> str:
    """A self-contained HTML page listing ``rows``; sorted worst first, filtered and summed up in the browser.

    Strings that repeat (sources, families, ends, reasons) are stored once, so 1,000 rows take about 100 kB.
    """
    keys = [t.key for t in TERMS]
    keys += sorted({key for row in rows for key in row.terms} - set(keys))
    names: dict[str, list[str]] = {"source": [], "family": [], "end": [], "worst": []}
    index: dict[str, dict[str, int]] = {name: {} for name in names}

    def number(name: str, text: str) -> int:
        if text not in index[name]:
            index[name][text] = len(names[name])
            names[name].append(text)
        return index[name][text]

    packed = [
        [
            row.scenario_id,
            row.href,
            number("source", row.source),
            number("family", row.family),
            row.planner,
            round(row.score, 6),
            [round(row.terms[key], 3) if key in row.terms else None for key in keys],
            number("end", row.end),
            round(row.worst_s, 2),
            number("worst", row.worst),
            int(row.admitted),
        ]
        for row in rows
    ]
    payload = {
        "title": title,
        "terms": [{"key": t.key, "name": t.name} for t in TERMS] + [{"key": k, "name": k} for k in keys[len(TERMS) :]],
        "names": names,
        "rows": packed,
        "planners": [
            {
                "label": p.label,
                "score": None if p.score is None else round(p.score, 6),
                "interval": None if p.interval is None else [round(v, 6) for v in p.interval],
                "details": [[k, v] for k, v in p.details.items()],
                "errors": [list(e) for e in p.errors],
                "admitted_only": p.admitted_only,
            }
            for p in planners
        ],
    }
    labels = [p.label for p in planners]
    return render("index", title, payload, figures=figures or RunFigures(), labels=labels)
