"""The page of the question whether a trace pays; what was not run says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pays_counts import Difference, Driven, between
from waytrace.cli.tables import markdown

NOT_RUN = "not run"

ABOUT = {
    ("own", "trace"): "own trace, written before the plan",
    ("own", "fast"): "own trace while it learned, none when it drives",
    ("none", "fast"): "no trace, ever",
    ("shuffled", "trace"): "another sample's trace while it learned; writes one when it drives",
}

QUESTIONS = (
    (("own", "trace"), ("none", "fast"), "does the trace pay, all in all"),
    (("own", "trace"), ("shuffled", "trace"), "is it what the trace says, or that something is written"),
    (("own", "trace"), ("own", "fast"), "does it pay to write it while driving"),
    (("own", "fast"), ("none", "fast"), "does it pay to have learned with it"),
)

Drives = Mapping[tuple[str, str], Driven]


def summary(driven: Drives) -> dict[str, Any]:
    """The figures as JSON; None for what was not run."""
    return {
        "scores": {f"{arm}:{mode}": _mean(d.scores()) for (arm, mode), d in driven.items()},
        "differences": {
            f"{_name(a)} - {_name(b)}": between(driven[a], driven[b])._asdict() for a, b, _ in QUESTIONS
        },
    }  # fmt: skip


def page(driven: Drives, trained: Mapping[str, Sequence[Mapping[str, Any]]], about: Mapping[str, Any]) -> str:
    """The page as Markdown."""
    wanted = about["seeds"]
    ended = sum(len(runs) for runs in trained.values())
    state = (
        f"{ended} of {3 * wanted} trainings have ended."
        if ended
        else "**Not run yet.** Every figure below says so until it was."
    )
    parts = [
        "# Does the trace pay?\n",
        "Made by `python benchmarks/trace_pays.py`; not edited by hand. " + state + "\n",
        f"Size {about['size']}, {about['steps']:,} steps of {about['batch']} samples, {wanted} seeds an arm; the last "
        f"checkpoint of each (none is chosen) drives the same {about['scenes']} scenes of suite `pr`, evenly taken, in "
        "closed loop. Arms have the same parameters, samples, order of samples, seeds and steps. A step without a "
        "trace computes less; seconds say how much.\n",
        "## Arms\n", _arms(driven, trained, wanted) + "\n",
        "## Beside each other\n", _differences(driven, wanted) + "\n",
        TEXT,
    ]  # fmt: skip
    return "\n".join(parts).rstrip() + "\n"


TEXT = """Differences are of the same seed on the same scene; intervals from a paired bootstrap that draws places and
seeds with replacement. Three seeds are few. A difference whose interval holds 0 is none that was shown, whichever way
it points.

## What the arms are

- **own**: the [model](model.md) as it is trained: choice, runner-up, decisions alone, and fast.
- **none**: fast alone. The trace head has its parameters and learns nothing. The last decision is hidden, since what
  drives fast has none to remember.
- **shuffled**: before every plan stands the trace of another sample of the batch, of another drive; its pointers point
  at tokens of the own scene drawn at random, of the same kind where there is one. Its last decision is the other's too,
  so that when it drives it does not trust its own. It has as many tokens to think with and nothing to read in them. The
  runner-up's plan is the choice's: without a word to tell them apart the model would learn the mean of the two, a
  handicap that has nothing to do with the trace. Batches are of like length, so *how long* a trace is stays roughly
  true.

Own beside shuffled has two things in it: that the words can be read, and that they are something true to learn from.
Own driven fast beside none is the second alone.
"""


def _arms(driven: Drives, trained: Mapping[str, Sequence[Mapping[str, Any]]], wanted: int) -> str:
    rows = []
    for (arm, mode), d in driven.items():
        scores, runs = d.scores(), trained[arm]
        away = [v for run in runs if (v := run["waypoint_m"].get(mode, {}).get("4")) is not None]
        rows.append([
            f"`{arm}`, {mode}: {ABOUT[arm, mode]}", _number(_mean(scores)),
            ", ".join(f"{s:.3f}" for s in scores) or NOT_RUN, _number(d.at_fault()), _number(_mean(away), 2),
            _number(_mean([run["seconds"] for run in runs]), 0), f"{len(scores)} of {wanted}",
            str(d.failed) if scores else NOT_RUN,
        ])  # fmt: skip
    columns = [
        "arm and mode", "score", "by seed", "at fault", "m from the expert's plan at 4 s (select)", "s of training",
        "seeds", "failed drives",
    ]  # fmt: skip
    return markdown(columns, rows)


def _differences(driven: Drives, wanted: int) -> str:
    rows = []
    for a, b, question in QUESTIONS:
        d = between(driven[a], driven[b])
        by_seed = ", ".join(f"{v:+.3f}" for v in d.by_seed) or NOT_RUN
        rows.append([question, f"{_name(a)} - {_name(b)}", _signed(d.value), _interval(d), by_seed, said(d, wanted)])
    return markdown(["question", "difference", "score", "95 %", "by seed", "answer"], rows)


def said(d: Difference, wanted: int) -> str:
    """What a difference shows; nothing while seeds are missing."""
    if d.value is None:
        return NOT_RUN
    if d.seeds < wanted or d.low is None or d.high is None:
        return f"{d.seeds} of {wanted} seeds: no answer yet"
    if d.low > 0.0:
        return "yes"
    return "no: it costs" if d.high < 0.0 else "not shown"


def _name(key: tuple[str, str]) -> str:
    return f"{key[0]}:{key[1]}"


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _number(value: float | None, digits: int = 3) -> str:
    return NOT_RUN if value is None else f"{value:.{digits}f}"


def _signed(value: float | None) -> str:
    return NOT_RUN if value is None else f"{value:+.3f}"


def _interval(d: Difference) -> str:
    return NOT_RUN if d.low is None or d.high is None else f"{d.low:+.3f} to {d.high:+.3f}"
