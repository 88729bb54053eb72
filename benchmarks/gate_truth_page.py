"""The page of ``gate_truth.py``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gate_worlds import World
from waytrace.cli.tables import markdown

HEAD = """\
# Does the gate say the truth?

Made by `python benchmarks/gate_truth.py`; not edited by hand. {trials:,} trials a row.

The very functions of the gate ([gates.md](gates.md)) judge results whose truth is known. Nothing here was adjusted to
them: populations were written down first. Failures of a made-up planner come together in layouts, scores are skewed,
and one row has five families, one three layouts a family, which is fewer than any suite has.
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
decides); the same for two others, and for the t intervals of single families, from the worst family to the best.
"""


def page(record: Mapping[str, Mapping[str, Mapping[str, float]]], worlds: Mapping[str, World], trials: int) -> str:
    """All parts that were run, as Markdown."""
    parts = [HEAD.format(trials=trials)]
    parts.append(
        markdown(["population", "scenes", "what"], [[n, str(len(w.design.order)), w.about] for n, w in worlds.items()])
    )
    for part, head, columns in (
        ("null", NULL, ("regressed", "scores", "families", "events", "release", "equivalent", "inconclusive")),
        ("planted", PLANTED, ("evenly", "failures", "evenly_all_gates", "failures_all_gates")),
        ("coverage", COVERAGE, ("bootstrap-t", "student", "percentile", "too_low", "too_high", "family_least",
                                "family_median", "family_most")),
    ):  # fmt: skip
        if part not in record:
            continue
        effects = ["evenly_effect", "failures_effect"] if part == "planted" else []
        rows = [
            [name, *(_percent(found[c]) for c in columns), *(f"{found[e]:.4f}" for e in effects)]
            for name, found in record[part].items()
        ]
        names = ["population", *(c.replace("_", " ") for c in [*columns, *effects])]
        parts += [head, markdown(names, rows)]
    return "\n".join(parts) + "\n"


def _percent(value: Any) -> str:
    return f"{100 * value:.1f} %"
