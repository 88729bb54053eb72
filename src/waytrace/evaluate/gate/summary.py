"""A decision as Markdown, for the summary of a continuous-integration job."""

from __future__ import annotations

from typing import Any

from waytrace.scenario import number_of

from .judge import Decision

_SHOWN = 12


def effect_line(scores: dict[str, Any]) -> str:
    """The smallest detectable effect, in a sentence."""
    if scores["interval"] is None:
        return "Smallest detectable effect: none; one cluster of scenes shows nothing."
    failures, even = (
        "none" if scores[key] is None else f"{scores[key]:.4f}" for key in ("detectable_effect", "detectable_shift")
    )
    few = "; not even a drop to 0 would be found" if scores["detectable_effect"] is None else ""
    return (
        f"Smallest detectable effect: {failures} as outright failures, {even} spread evenly (found in 80 % of cases)"
        f"{few}."
    )


def markdown_summary(decision: Decision) -> str:
    """Verdict, gates, families and what changed, as GitHub's Markdown."""
    pairs, scores = decision.pairs, decision.scores
    a, b = pairs.candidate, pairs.baseline
    lines = [
        f"## Waytrace gate: {decision.verdict}" + ("" if decision.allowed else " ❌"),
        "",
        f"`{_plain(a.name)}` beside `{_plain(b.name)}` on suite `{a.record.suite}` "
        f"({number_of(len(pairs.ids), 'scene')}, {number_of(scores['clusters'], 'cluster')}). {effect_line(scores)}",
        "",
        "| gate | | | says |",
        "| --- | --- | --- | --- |",
        *(f"| {o.gate} | {o.title} | {o.state} | {_plain(o.says)} |" for o in decision.outcomes),
        "",
    ]
    for outcome in decision.outcomes:
        if outcome.details:
            shown, more = outcome.details[:_SHOWN], len(outcome.details) - _SHOWN
            lines += [f"**{outcome.gate} {outcome.title}**", "", *(f"- {_plain(d)}" for d in shown)]
            lines += [f"- ... and {more} more", ""] if more > 0 else [""]
    if families := scores.get("families"):
        lines += ["<details><summary>By family</summary>", ""]
        lines += ["| family | scenes | difference | 95 % | p (Holm) | detectable |"]
        lines += ["| --- | ---: | ---: | ---: | ---: | ---: |"]
        lines += [_family(row) for row in families]
        lines += ["", "</details>", ""]
    lines.append(f"Result `{a.record.result_hash[:16]}`, baseline `{b.record.result_hash[:16]}`.")
    return "\n".join(lines) + "\n"


def _family(row: dict[str, Any]) -> str:
    bounds, reach = row["interval"], row["detectable_effect"]
    interval = f"{bounds[0]:+.3f} to {bounds[1]:+.3f}" if bounds else "-"
    return (
        f"| {_plain(row['family'])} | {row['scenes']} | {row['difference']:+.3f} | {interval} | {row['p_holm']:.2g} | "
        f"{'-' if reach is None else f'{reach:.3f}'} |"
    )


def _plain(text: str) -> str:
    """What planners and scenes are called must not turn into markup."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("`", "'")
