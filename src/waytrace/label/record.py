"""One labelled decision as a line of a trace file; its runner-up and its tests travel with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from waytrace.trace import Header, Verdict
from waytrace.trace.file import Ghost, TraceLine, from_record, to_record

from .from_certificate import Label


def line_of(
    scenario: str, tick: int, header: Header, label: Label, *, runner_up: tuple[Header, Label] | None = None,
    verdicts: Sequence[Verdict] = (), ghosts: Sequence[Ghost] = (), tests: Sequence[dict[str, Any]] = (),
) -> TraceLine:  # fmt: skip
    """The line of a decision. Beside what every trace file has: ``runner_up`` and ``tests``, where there are any."""
    more: dict[str, Any] = {}
    if runner_up is not None:
        header_2, second = runner_up
        record = to_record(TraceLine(scenario, tick, header_2, second.trace, second.plan))
        more["runner_up"] = {name: record[name] for name in ("document", "plan")}
    if tests:
        more["tests"] = list(tests)
    return TraceLine(
        scenario, tick, header, label.trace, label.plan, tuple(verdicts), tuple(ghosts), more=more
    )  # fmt: skip


def runner_up_of(line: TraceLine) -> TraceLine | None:
    """The runner-up of a labelled decision, with its own trace and plan; None where there is none.

    Raises :class:`TraceError` where the line holds something else there.
    """
    record = line.more.get("runner_up")
    if record is None:
        return None
    return from_record({**(record if isinstance(record, dict) else {}), "scenario": line.scenario, "tick": line.tick})
