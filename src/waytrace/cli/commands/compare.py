"""``waytrace compare``: what differs between two results, scene by scene."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output
    from waytrace.evaluate.compare import SceneDifference
    from waytrace.report import Gate


@dataclass
class Options:
    """Explain what differs between two results: score, terms, events, the first tick, the cause that was dropped."""

    before: Annotated[Positional[Path], arg(metavar="A")]
    """A result folder; with --traces of `waytrace eval` causes are compared too."""
    after: Annotated[Positional[Path], arg(metavar="B")]
    """Another one on the same scenes."""
    report: Annotated[Path | None, arg(metavar="FOLDER", help_behavior_hint="(default: none)")] = None
    """Write the comparison as HTML, with both drives of every scene that differs."""
    gate: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: none)")] = None
    """Show in the report what a gate said: what `waytrace gate --json` printed."""
    limit: int = 20
    """Scenes to print, the largest loss first; --json has all."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Print every scene that went differently; 1 if there is one."""
    from waytrace.evaluate import load_result
    from waytrace.evaluate.compare import compare, conditions
    from waytrace.report import read_gate
    from waytrace.scenario import WaytraceError, number_of

    if options.gate and not options.report:
        raise WaytraceError("--gate is shown in a report: say where to write one, with --report FOLDER.")
    said = read_gate(options.gate) if options.gate else None
    before, after = load_result(options.before), load_result(options.after)
    found = compare(before, after)
    unlike = conditions(before, after)
    if unlike:
        output.say("Not driven alike: " + ", ".join(f"{name} {a} -> {b}" for name, (a, b) in unlike.items()))
    for difference in found[: options.limit]:
        _print(output, difference)
    if len(found) > options.limit:
        output.say(f"... and {len(found) - options.limit} more (--limit)")
    lower = sum(d.gain < 0 for d in found)
    higher = sum(d.gain > 0 for d in found)
    output.say(
        f"{len(found)} of {number_of(len(before.ids), 'scene')} differ: {lower} lower, {higher} higher."
        if found else "The same."
    )  # fmt: skip
    unseen = sum(d.unseen_by_score for d in found)
    if unseen:
        output.say(f"In {unseen} of them a decision or a cause is another one while the score stands still.")
    page = _report(options, output, found, said) if options.report else None
    output.finish(
        {
            "before": str(before.path), "after": str(after.path), "scenes": len(before.ids),
            "lower": lower, "higher": higher, "unseen_by_score": unseen, "conditions": unlike,
            "differences": [d.to_json() for d in found], "report": str(page) if page else None,
        }
    )  # fmt: skip
    return 1 if found else 0


def _report(options: Options, output: Output, found: list[SceneDifference], gate: Gate | None) -> Path:
    from waytrace.report import write_comparison

    assert options.report is not None
    with output.progress("pages") as advance:
        page = write_comparison(
            options.before, options.after, found, options.report, gate=gate,
            progress=lambda done, total: advance(done, total, ""),
        )  # fmt: skip
    output.say(f"Report: {page}")
    return page


def _print(output: Output, d: SceneDifference) -> None:
    from waytrace.scenario import number_of

    output.say(f"{d.scene}: {_figure(d.before, 3)} -> {_figure(d.after, 3)}")
    if d.terms:
        output.say("    " + ", ".join(f"{name} {_figure(a, 2)} -> {_figure(b, 2)}" for name, (a, b) in d.terms.items()))
    for word, events in (("new", d.new), ("gone", d.gone)):
        for event in events:
            output.say(f"    {word}: {event}")
    if d.plan_tick is not None:
        apart = "" if d.apart_tick is None else f", 0.5 m apart from tick {d.apart_tick} on"
        output.say(f"    first other plan at tick {d.plan_tick}, first other motion at tick {d.first_tick}{apart}")
    elif d.first_tick is not None:
        output.say(f"    first other motion at tick {d.first_tick}, under the same plans")
    said = d.said
    if said.decided is not None:
        was, now = said.decided
        others = number_of(said.other_decisions, "other decision")
        output.say(f"    {others}, first at tick {said.decision_tick}: {was} -> {now}")
    if said.cause_tick is not None:
        words = "; ".join([f"dropped {c}" for c in said.dropped] + [f"added {c}" for c in said.added])
        others = number_of(said.other_causes, "decision")
        output.say(f"    {others} with other causes, first at tick {said.cause_tick}: {words}")


def _figure(value: float, digits: int) -> str:
    """A score or a term, or a dash where a drive has none."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"
