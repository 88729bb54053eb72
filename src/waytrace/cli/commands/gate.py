"""``waytrace gate``: may this result take the baseline's place?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """Judge a result beside a baseline. Ends with 0 if improved or equivalent, 1 if regressed or inconclusive."""

    result: Annotated[Positional[Path], arg(metavar="RESULT")]
    """Result folder of the candidate."""
    baseline: Annotated[Path, arg(metavar="B")]
    """A baseline's folder (`waytrace baseline set`), or any result on the same suite."""
    policy: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: every default)")] = None
    """Policy file, TOML: margins, never-fail scenes, what is required."""
    release: Annotated[Path | None, arg(metavar="R", help_behavior_hint="(default: the policy's)")] = None
    """The last release's baseline or result, for G7."""
    again: Annotated[Path | None, arg(metavar="RESULT", help_behavior_hint="(default: none)")] = None
    """A second evaluation of the candidate, for G1."""
    markdown: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: none)")] = None
    """Append a summary in Markdown to this file, such as $GITHUB_STEP_SUMMARY."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Print gates, families, verdict; the exit code is what the policy makes of the verdict."""
    from waytrace.evaluate import load_result
    from waytrace.evaluate.gate import (
        GateError,
        Policy,
        effect_line,
        gate,
        load_baseline,
        load_policy,
        markdown_summary,
    )

    policy = load_policy(options.policy) if options.policy else Policy()
    decision = gate(
        load_result(options.result), load_baseline(options.baseline), policy=policy,
        release=load_baseline(options.release) if options.release else None,
        again=load_result(options.again) if options.again else None,
    )  # fmt: skip
    for outcome in decision.outcomes:
        output.say(f"{outcome.gate}  {outcome.state:<13} {outcome.title}: {outcome.says}")
        for line in outcome.details:
            output.say(f"      {line}")
    scores = decision.scores
    if rows := scores.get("families"):
        output.say()
        table = [
            [
                row["family"], str(row["scenes"]), str(row["clusters"]), f"{row['difference']:+.3f}",
                f"{row['p_holm']:.2g}", "-" if row["detectable_effect"] is None else f"{row['detectable_effect']:.3f}",
            ]
            for row in rows
        ]  # fmt: skip
        output.table(["family", "scenes", "clusters", "difference", "p (Holm)", "detectable"], table)
    output.say(effect_line(scores))
    granted = ", which the policy allows" if str(decision.verdict) in policy.allow else ""
    output.say(f"Verdict: {decision.verdict}{granted}")
    if options.markdown:
        try:
            with options.markdown.open("a", encoding="utf-8") as file:
                file.write(markdown_summary(decision))
        except OSError as error:
            raise GateError(f"The summary could not be written to {options.markdown}: {error.strerror}.") from error
        output.say(f"Summary: {options.markdown}")
    output.finish(
        {
            "verdict": str(decision.verdict), "allowed": decision.allowed,
            "detectable_effect": scores["detectable_effect"], "detectable_shift": scores["detectable_shift"],
            "difference": scores["difference"], "interval": scores["interval"], "margin": scores["margin"],
            "gates": [outcome.to_json() for outcome in decision.outcomes],
        }
    )  # fmt: skip
    return 0 if decision.allowed else 1
