"""What else is asked of the audited planner: its trace's answer to edits, edits of other kinds, what feeds its plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .figures import Figures, Record, necessity
from .moment import AUDITED, HONEST

NAN = float("nan")


def trace_response(figures: Figures) -> dict[str, Any]:
    """Of a planner with traces, after something was undone: all shares of edits, averaged within a moment."""
    return {
        "vanished": _share(figures, lambda r, _: not r["still_cited"] if r["cited"] else None),
        "decides_as_expert": _share(figures, lambda r, _: r["as_expert"]),
        "plan_alone": _share(figures, lambda r, d: r["said_the_same"] if r["moved_m"] > d else None),
        "trace_alone": _share(figures, lambda r, d: not r["said_the_same"] if r["moved_m"] <= d else None),
    }


def _share(figures: Figures, holds: Any) -> dict[str, Any]:
    values = []
    for record, delta in zip(figures.records, figures.delta_m, strict=True):
        found = [holds(r, delta) for r in record["responses"] if r["moved_m"] is not None]
        values.append(_mean(found))
    return figures.share(values).to_json()


def held_out(figures: Figures) -> dict[str, Any]:
    """By kind of edit: how often the planner moves, the expert does, both agree whether to, and in which direction."""
    kinds = list(dict.fromkeys(r["kind"] for record in figures.records for r in record["held_out"]))
    out: dict[str, Any] = {}
    for kind in kinds:
        rows: dict[str, list[float]] = {name: [] for name in ("moves", "expert_moves", "agree", "same_direction")}
        for record, delta in zip(figures.records, figures.delta_m, strict=True):
            found = [r for r in record["held_out"] if r["kind"] == kind and _compared(r)]
            mine = [r["moved_m"] > delta for r in found]
            ideal = [r["expert_m"] > delta for r in found]
            both = [r for r, a, b in zip(found, mine, ideal, strict=True) if a and b]
            rows["moves"].append(_mean(mine))
            rows["expert_moves"].append(_mean(ideal))
            rows["agree"].append(_mean([a == b for a, b in zip(mine, ideal, strict=True)]))
            rows["same_direction"].append(_mean([r["ahead_m"] * r["expert_ahead_m"] > 0.0 for r in both]))
        out[kind] = {name: figures.share(values).to_json() for name, values in rows.items()}
    return out


def _compared(response: Record) -> bool:
    return response["moved_m"] is not None and response["expert_m"] is not None


def mediated(figures: Figures) -> dict[str, Any] | None:
    """Whether the plan follows what is put into the trace; None where there is no trace to write into."""
    if not any(record["mediation"] for record in figures.records):
        return None

    def of(name: str) -> dict[str, Any]:
        return figures.share([_forced(record, name) for record in figures.records]).to_json()

    def moves(name: str) -> dict[str, Any]:
        values = [
            NAN if record["mediation"] is None else float(record["mediation"][name] > delta)
            for record, delta in zip(figures.records, figures.delta_m, strict=True)
        ]
        return figures.share(values).to_json()

    alike = [NAN if r["mediation"] is None else float(r["mediation"]["filler_decides_alike"]) for r in figures.records]
    return {
        "obeyed": of("obeyed"), "rules_hold": of("rules_hold"), "plan_first_obeyed": of("silent_obeyed"),
        "early_answer_differs": moves("silent_m"), "filler_differs": moves("filler_m"),
        "filler_decides_alike": figures.share(alike).to_json(),
    }  # fmt: skip


def two_by_two(figures: Figures, voice: str = AUDITED, forced: str = "obeyed") -> dict[str, int] | None:
    """Moments by whether what is cited moves the plan (input-causal) and whether the plan obeys the trace (mediated).

    Only moments of which both were asked. None where there are none.
    """
    counts = dict.fromkeys(("causal_mediated", "causal_only", "mediated_only", "neither"), 0)
    for record, delta in zip(figures.records, figures.delta_m, strict=True):
        said = necessity(record["voices"][voice], delta) if voice in record["voices"] else NAN
        obeyed = _forced(record, forced)
        if not np.isfinite([said, obeyed]).all():
            continue
        causal, mediates = said == 1.0, obeyed == 1.0
        if causal:
            counts["causal_mediated" if mediates else "causal_only"] += 1
        else:
            counts["mediated_only" if mediates else "neither"] += 1
    return counts if any(counts.values()) else None


def _forced(record: Record, name: str) -> float:
    found = record["mediation"]
    return NAN if found is None or found["forced"] is None else float(found["forced"][name])


def closed_loop(figures: Figures, tried: Sequence[Record]) -> dict[str, Any]:
    """Of drives on their own: share in which an agent's absence moves the drive, cited ones beside uncited ones."""
    where = {(r["scene"], r["tick"]): k for k, r in enumerate(figures.records)}
    out: dict[str, Any] = {"scenes": len(tried)}
    for voice in (HONEST, AUDITED):
        for what in ("cited_m", "uncited_m"):
            values = np.full(len(figures.records), NAN)
            for record in tried:
                at = where[record["scene"], record["tick"]]
                values[at] = float(record[voice][what] > figures.delta_m[at])
            out[f"{voice}/{what.removesuffix('_m')}"] = figures.share(values).to_json()
    return out


def _mean(values: list[Any]) -> float:
    known = [float(v) for v in values if v is not None]
    return float(np.mean(known)) if known else NAN
