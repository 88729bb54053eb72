"""The page of ``gate_truth.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import waytrace
from gate_worlds import World
from waytrace.cli.tables import markdown

HEAD = """\
# Does the gate say the truth?

Made by `{command}`; not edited by hand. Waytrace {version}, {day}. {trials:,} trials a row.

The very functions of the gate ([gates.md](gates.md)) judge results whose truth is known. Nothing here was adjusted to
them after it was looked at, but for what decisions [32](decisions/0032-the-gate-studentises.md) and
[41](decisions/0041-unequal-layouts-and-few.md) say. Failures of a made-up planner come together in layouts, and scores
are skewed. Under each table stands which rows miss what is asked.
"""

NULL = """
## No difference

Both planners are drawn from one distribution on the same scenes; so is the last release. How often the gate calls
them "regressed" all the same, and which of its parts did: scores (G4, overall), families (G4, Holm), events (G3),
release (G7). At most 6 % is asked.
"""

PLANTED = """
## A planted drop

A comparison of two equal planners prints its smallest detectable effects; another one then has a drop of that very
size planted, spread evenly or as outright failures. How often G4's overall score finds it (at least 75 % is asked),
and how often any gate does.
"""

COVERAGE = """
## Intervals

Planners that do differ: one fails three times as often and pays three times as much for a layout. How often the 95 %
interval holds the true difference (93 to 97 % is asked of the first column, the interval that is printed and
decides); the same for three methods, and for the t intervals of single families, from the worst family to the best.
"""

TRACES = """
## Traces

G5, by the number of layouts (of two scenes each) and of claims a scene for each figure. Two equal planners; how often
they are called regressed all the same (at most 0.5 %, G5's share of the error), how often a drop is named at all, and
how often one of that size in one figure is found (at least 75 % is asked).
"""


ASKED: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "null": {"regressed": (0.0, 0.06)},
    "planted": {"evenly": (0.75, 1.0), "failures": (0.75, 1.0)},
    "coverage": {"as decided": (0.93, 0.97)},
    "traces": {"regressed": (0.0, 0.005), "found": (0.75, 1.0)},
}
"""By part and column the least and the most."""

Found = Mapping[str, Mapping[str, Any]]


def page(record: Mapping[str, Found], worlds: Mapping[str, World], trials: int, results: Sequence[Path] | None) -> str:
    """All parts that were run, as Markdown."""
    command = "python benchmarks/gate_truth.py" + (" --results WORSE BETTER" if results else "")
    parts = [HEAD.format(command=command, version=waytrace.__version__, day=date.today(), trials=trials)]
    parts.append(
        markdown(["population", "scenes", "what"], [[n, str(len(w.design.order)), w.about] for n, w in worlds.items()])
    )
    for part, head, columns in (
        ("null", NULL, ("regressed", "scores", "families", "events", "release", "equivalent", "inconclusive")),
        ("planted", PLANTED, ("evenly", "failures", "evenly_all_gates", "failures_all_gates")),
        ("coverage", COVERAGE, ("as decided", "bootstrap-t", "student", "percentile", "too_low", "too_high",
                                "family_least", "family_median", "family_most")),
    ):  # fmt: skip
        if part not in record:
            continue
        effects = ["evenly_effect", "failures_effect"] if part == "planted" else []
        rows = [
            [name, *(_percent(found[c]) for c in columns), *(f"{found[e]:.4f}" for e in effects)]
            for name, found in record[part].items()
        ]
        names = ["population", *(c.replace("_", " ") for c in [*columns, *effects])]
        parts += [head, markdown(names, rows), "\n" + _missed(part, record[part])]
    if "traces" in record:
        rows = [
            [name, *(_percent(found[c]) for c in ("regressed", "named", "found")), _drop(found["effect"])]
            for name, found in record["traces"].items()
        ]
        names = ["population", "regressed", "a drop is named", "found", "the drop"]
        parts += [TRACES, markdown(names, rows), "\n" + _missed("traces", record["traces"])]
    return "\n".join(parts) + "\n"


def _missed(part: str, found: Found) -> str:
    missed = [
        f"{name}, {column} ({_percent(row[column])})"
        for column, (least, most) in ASKED[part].items()
        for name, row in found.items()
        if row[column] is not None and not least <= row[column] <= most
    ]
    return f"Missed: {'; '.join(missed)}." if missed else "All rows hold what is asked."


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def _drop(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
