"""Results of several planners as tables: for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from waytrace.scenario import number_of
from waytrace.score import TERMS

if TYPE_CHECKING:
    from waytrace.evaluate import Result

    from .output import Output


def number(value: float | None, digits: int = 3) -> str:
    """A figure, or a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def percent(value: float | None) -> str:
    """A rate in percent, or a dash."""
    return "-" if value is None else f"{100 * value:.1f} %"


def interval_text(group: Mapping[str, Any]) -> str:
    """A score with its interval: ``0.812 [0.74, 0.87]``."""
    text = number(group["score"])
    bounds = group["score_interval"]
    return f"{text} [{bounds[0]:.2f}, {bounds[1]:.2f}]" if bounds else text


def score_rows(results: Mapping[str, Result]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of the main table: one planner a row, terms as means over the scenarios they apply to."""
    judged = [term for term in TERMS if any(term in result.meta["terms"] for result in results.values())]
    columns = ["planner", "score [95 %]", "at fault", "off road", *judged, "scenarios", "failed"]
    rows = []
    for name, result in results.items():
        meta = result.meta
        rows.append(
            [
                name,
                interval_text(meta),
                percent(meta["at_fault_collision_rate"]),
                percent(meta["off_road_rate"]),
                *(number(meta["terms"].get(term), 2) for term in judged),
                str(meta["count"]),
                str(len(result.errors)),
            ]
        )
    return columns, rows


def group_rows(results: Mapping[str, Result], key: str) -> tuple[list[str], list[list[str]]]:
    """Columns and rows by ``families`` or ``sources``: one group a row, one planner a column, mean scores."""
    groups = sorted({name for result in results.values() for name in result.meta[key]})
    columns = [{"families": "family", "sources": "source"}[key], "scenarios", "oracle passes", "oracle's own", *results]
    rows = []
    for group in groups:
        found = [result.meta[key].get(group) for result in results.values()]
        largest = max((entry for entry in found if entry), key=lambda entry: int(entry["count"]))
        counts = [str(largest["count"]), percent(largest["admitted"]), number(largest["oracle_score"])]
        rows.append([group, *counts, *(number(entry["score"]) if entry else "-" for entry in found)])
    return columns, rows


def score_table(output: Output, results: Mapping[str, Result]) -> None:
    """Print the main table, and the scores by family and by source where there are any."""
    output.table(*score_rows(results))
    for key in ("families", "sources"):
        columns, rows = group_rows(results, key)
        if len(rows) > 1 or (rows and key == "families"):
            output.table(columns, rows)


def quality_table(output: Output, result: Result) -> None:
    """Print what the result says of the planner's traces and plans: mean over scenes and interval."""
    from waytrace.evaluate.quality import FIGURES

    rows = []
    for figure in FIGURES:
        found = result.meta["quality"].get(figure.name)
        if found:
            bounds = found["interval"]
            interval = f"{bounds[0]:.3f} to {bounds[1]:.3f}" if bounds else "-"
            rows.append(
                [figure.about, f"{number(found['value'])} {figure.unit}".strip(), interval, str(found["scenes"])]
            )
    output.table(["traces and plans, mean over scenes", "measured", "95 %", "scenes"], rows)


def failures(output: Output, planner: str, result: Result, shown: int = 10) -> None:
    """Say on which scenarios the planner failed; they are in no mean."""
    if not result.errors:
        return
    output.say(f"{planner} FAILED on {number_of(len(result.errors), 'scenario')}, which are in no figure above:")
    for error in result.errors[:shown]:
        output.say(f"  {error['id']}: {error['message']} (log: {result.path / error['log']})")
    if len(result.errors) > shown:
        output.say(f"  ... and {len(result.errors) - shown} more in {result.path / 'result.json'}")


def markdown(columns: list[str], rows: list[list[str]]) -> str:
    """The table as Markdown, first column left, others right."""
    head = "| " + " | ".join(columns) + " |"
    rule = "|" + "|".join([" --- ", *[" ---: "] * (len(columns) - 1)]) + "|"
    return "\n".join([head, rule, *("| " + " | ".join(row) + " |" for row in rows)])
