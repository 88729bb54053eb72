"""The interventional audit of a trace: what the expert does with a cause undone, a thing left out, an option driven.

The expert is the witness: a cause is borne out where *its* plan rests on it. So a trace of another planner is held to
what there is reason for in the scene, not to what moved that planner. Only the present is edited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from waytrace.label.asking import Asker
from waytrace.scenario import Rollout, Scenario, scenario_hash
from waytrace.trace import TraceError, Verdict, check_header
from waytrace.trace.file import TraceFileError, TraceLine

from .audit_causes import MOST_AGENTS, cause_verdicts
from .audit_moment import AuditMoment, moments_of
from .audit_rejected import rejected_verdicts
from .audit_tools import ToolError, tool_verdicts


def audit(
    line: TraceLine, scenario: Scenario, rollout: Rollout | None = None, *, asker: Asker | None = None,
    most_agents: int = MOST_AGENTS,
) -> tuple[Verdict, ...]:  # fmt: skip
    """Every interventional claim of a decision, judged: causes, omissions, rejected options, tool calls.

    The scene is rebuilt from scenario and rollout (as recorded without one). Raises :class:`TraceFileError` for a trace
    of another moment, :class:`ToolError` for a tool call that nobody knows, ``WaytraceError`` for a tick outside of
    the drive.
    """
    ((_, found),) = audit_lines(
        [line], lambda _: scenario, lambda _: rollout, asker=asker, most_agents=most_agents
    )  # fmt: skip
    return found


def audit_lines(
    lines: Iterable[TraceLine], scenario_of: Callable[[str], Scenario], rollout_of: Callable[[str], Rollout | None],
    *, asker: Asker | None = None, most_agents: int = MOST_AGENTS,
) -> Iterator[tuple[TraceLine, tuple[Verdict, ...]]]:  # fmt: skip
    """Every decision of a trace file with its verdicts; lines of one scenario stand together.

    Raises as :func:`audit`.
    """
    asker = asker or Asker()
    for name, group in groupby(lines, key=lambda line: line.scenario):
        told: dict[int, list[TraceLine]] = {}
        for line in group:
            told.setdefault(line.tick, []).append(line)
        scenario = scenario_of(name)
        content = scenario_hash(scenario)
        for tick, moment in moments_of(scenario, rollout_of(name), told, asker):
            for line in told[tick]:
                yield line, _audited(line, moment, content, most_agents)


def audit_moment(line: TraceLine, moment: AuditMoment, most_agents: int = MOST_AGENTS) -> tuple[Verdict, ...]:
    """The audit of a decision about a moment that is at hand."""
    return (
        *cause_verdicts(line.trace, moment, most_agents),
        *rejected_verdicts(line.trace, moment),
        *tool_verdicts(line.more.get("tools"), moment),
    )


def _audited(line: TraceLine, moment: AuditMoment, content: str, most_agents: int) -> tuple[Verdict, ...]:
    where = f"{line.scenario}, tick {line.tick}"
    try:
        check_header(line.header, moment.scene, content)
        return audit_moment(line, moment, most_agents)
    except TraceError as error:
        raise TraceFileError(f"{where}: {error}") from error
    except ToolError as error:
        raise ToolError(f"{where}: {error}") from error


def with_audit(line: TraceLine, verdicts: Iterable[Verdict]) -> TraceLine:
    """The line with verdicts under ``audit``, in place of those that it had."""
    return replace(line, audit=tuple(verdict.to_json() for verdict in verdicts))
