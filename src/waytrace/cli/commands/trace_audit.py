"""``waytrace trace audit``: the expert is asked again about every decision of a trace file, with something undone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """Ask the expert whether causes, omissions, rejected options and tool calls of traces are so. 1 if one is not."""

    file: Annotated[Positional[Path], arg(metavar="FILE")]
    """A trace file (JSON lines), or a folder of them."""
    scenarios: Annotated[Path, arg(metavar="STORE")]
    """The store with the scenarios that the traces are about."""
    rollouts: Annotated[Path | None, arg(metavar="RESULT", help_behavior_hint="(default: as recorded)")] = None
    """The result of `waytrace eval`, or a folder of rollouts, in which the traces were written."""
    out: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: none)")] = None
    """Write the traces with what the audit says to this file."""
    limit: Annotated[int | None, arg(metavar="COUNT", help_behavior_hint="(default: all)")] = None
    """Only the first so many decisions."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Audit, print the counts by rule and everything false with its evidence; 1 if something is."""
    from itertools import chain, islice

    from waytrace.evaluate.audit import audit_lines, with_audit
    from waytrace.scenario import Rollout
    from waytrace.scenario.rollouts import RolloutStore
    from waytrace.scenario.store import ScenarioStore
    from waytrace.trace.check import files_of
    from waytrace.trace.file import TraceLine, read_traces, write_traces

    store = ScenarioStore.open(options.scenarios)
    rollouts = RolloutStore.of_result(options.rollouts) if options.rollouts is not None else None

    def rollout_of(name: str) -> Rollout | None:
        return rollouts[name] if rollouts is not None else None

    rules: dict[str, Counter[str]] = {}
    false: list[dict[str, Any]] = []
    audited: list[TraceLine] = []
    decisions = 0
    files = files_of(options.file)
    count = _count(files, options.limit)
    lines = islice(chain.from_iterable(read_traces(file) for file in files), options.limit)
    with output.progress("auditing") as advance:
        for line, verdicts in audit_lines(lines, store.__getitem__, rollout_of):
            decisions += 1
            for verdict in verdicts:
                rules.setdefault(verdict.rule.removeprefix("audit."), Counter())[verdict.value] += 1
                if verdict.value == "false":
                    false.append({"scenario": line.scenario, "tick": line.tick, **verdict.to_json()})
            if options.out is not None:
                audited.append(with_audit(line, verdicts))
            advance(decisions, count, f"{line.scenario} tick {line.tick}")
    _tell(output, rules, false, decisions)
    if options.out is not None:
        write_traces(options.out, audited)
        output.say(f"With the audit: {options.out}")
    total = {value: sum(tally[value] for tally in rules.values()) for value in VALUES}
    output.finish({
        "file": str(options.file), "decisions": decisions, **total,
        "rules": {name: {v: rules[name][v] for v in VALUES} for name in sorted(rules)}, "false_claims": false,
    })  # fmt: skip
    return 1 if false else 0


VALUES = ("true", "false", "undetermined")


def _count(files: list[Path], limit: int | None) -> int:
    """How many decisions there are to audit, so that progress has an end."""
    count = 0
    for file in files:
        with file.open("rb") as stream:
            count += sum(1 for line in stream if line.strip())
    return count if limit is None else min(count, limit)


def _tell(output: Output, rules: dict[str, Counter[str]], false: list[dict[str, Any]], decisions: int) -> None:
    from waytrace.scenario import number_of

    output.table(["claim", *VALUES], [[name, *(str(rules[name][v]) for v in VALUES)] for name in sorted(rules)])
    for claim in false:
        shown = ", ".join(f"{k} {v}" for k, v in claim["evidence"].items() if v != "")
        output.say(f"{claim['scenario']} tick {claim['tick']} {claim['claim']}: {claim['why']}")
        output.say(f"    {shown}")
    counts = Counter({v: sum(tally[v] for tally in rules.values()) for v in VALUES})
    judged = sum(counts.values())
    shares = ", ".join(f"{counts[v]} {v} ({counts[v] / max(judged, 1):.1%})" for v in VALUES)
    output.say(f"{number_of(decisions, 'decision')}, {number_of(judged, 'interventional claim')}: {shares}.")
