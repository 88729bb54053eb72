"""``waytrace trace check``: every claim of a trace file against the scene and the plan."""

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
    """Judge every claim of the traces in a file: true, false or undetermined. Ends with 1 if a claim is false."""

    file: Annotated[Positional[Path], arg(metavar="FILE")]
    """A trace file (JSON lines), or a folder of them."""
    scenarios: Annotated[Path, arg(metavar="STORE")]
    """The store with the scenarios that the traces are about."""
    rollouts: Annotated[Path | None, arg(metavar="RESULT", help_behavior_hint="(default: as recorded)")] = None
    """The result of `waytrace eval`, or a folder of rollouts, in which the traces were written."""
    out: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: none)")] = None
    """Write the traces with their verdicts to this file."""
    limit: Annotated[int | None, arg(metavar="COUNT", help_behavior_hint="(default: all)")] = None
    """Only the first so many decisions."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Check, print the counts by rule and every false claim; 1 if there is one."""
    from dataclasses import replace
    from itertools import chain, islice

    from waytrace.scenario import Rollout
    from waytrace.scenario.rollouts import RolloutStore
    from waytrace.scenario.store import ScenarioStore
    from waytrace.trace.check import check_lines, files_of
    from waytrace.trace.file import TraceLine, read_traces, write_traces

    store = ScenarioStore.open(options.scenarios)
    rollouts = RolloutStore.of_result(options.rollouts) if options.rollouts is not None else None

    def rollout_of(name: str) -> Rollout | None:
        return rollouts[name] if rollouts is not None else None

    rules: dict[str, Counter[str]] = {}
    total: Counter[str] = Counter()
    false: list[dict[str, Any]] = []
    checked: list[TraceLine] = []
    decisions = 0
    lines = chain.from_iterable(read_traces(file) for file in files_of(options.file))
    for line, verdicts in check_lines(islice(lines, options.limit), store.__getitem__, rollout_of):
        decisions += 1
        for verdict in verdicts:
            key = verdict.value if verdict.kind == "present" else "not_judged"
            total[key] += 1
            if verdict.kind == "present":
                rules.setdefault(verdict.rule, Counter())[key] += 1
            if verdict.value == "false":
                false.append({"scenario": line.scenario, "tick": line.tick, **verdict.to_json()})
        if options.out is not None:
            checked.append(replace(line, verdicts=verdicts))
    _tell(output, rules, total, false, decisions)
    if options.out is not None:
        write_traces(options.out, checked)
        output.say(f"With verdicts: {options.out}")
    output.finish(_summary(options, rules, total, false, decisions))
    return 1 if false else 0


VALUES = ("true", "false", "undetermined")


def _tell(
    output: Output, rules: dict[str, Counter[str]], total: Counter[str], false: list[dict[str, Any]], decisions: int
) -> None:  # fmt: skip
    from waytrace.scenario import number_of

    output.table(["rule", *VALUES], [[name, *(str(rules[name][v]) for v in VALUES)] for name in sorted(rules)])
    for claim in false:
        shown = ", ".join(f"{k} {v}" for k, v in claim["evidence"].items())
        output.say(f"{claim['scenario']} tick {claim['tick']} {claim['claim']}: {claim['why']}")
        output.say(f"    slack {claim['slack']:+.3g} {claim['unit']}".rstrip() + (f"; {shown}" if shown else ""))
    judged = sum(total[v] for v in VALUES)
    shares = ", ".join(f"{total[v]} {v} ({total[v] / max(judged, 1):.1%})" for v in VALUES)
    output.say(f"{number_of(decisions, 'decision')}, {number_of(judged, 'claim')} about the present: {shares}.")
    output.say(f"{total['not_judged']} forecasts and interventional claims are not judged here.")


def _summary(
    options: Options, rules: dict[str, Counter[str]], total: Counter[str], false: list[dict[str, Any]], decisions: int
) -> dict[str, Any]:  # fmt: skip
    return {
        "file": str(options.file), "decisions": decisions, **{v: total[v] for v in (*VALUES, "not_judged")},
        "rules": {name: {v: rules[name][v] for v in VALUES} for name in sorted(rules)}, "false_claims": false,
    }  # fmt: skip
