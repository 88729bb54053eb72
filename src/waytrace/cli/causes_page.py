"""The figures of a causal audit as a table for the terminal and as a page of Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import waytrace
from waytrace.scenario import number_of

from .tables import markdown

Record = Mapping[str, Any]

COLUMNS = ["who claims", "N", "I", "S", "F [95 %]", "between [95 %]", "abstains", "cited"]

VOICES = {
    "honest": "the expert, honest: the ceiling", "proximate-only": "liar: proximate cause only",
    "nearest": "liar: the nearest agent", "random": "liar: at random: the floor",
    "always-lead": "liar: always the lead", "lead-or-front": "liar: the lead, or whoever is in front",
    "cite-everything": "liar: everything", "planner": "**the planner**",
    "planner-random": "its plans, causes at random: its floor", "plan-first": "plan first, told afterwards",
}  # fmt: skip

WAYS = {
    "trace": "its own traces", "certificate": "its certificates",
    "occlusion": "what it was found to look at (one thing at a time covered)",
}  # fmt: skip


def rows(record: Record, threshold: str = "delta") -> list[list[str]]:
    """The main table at one threshold."""
    voices = record["at"][threshold]["voices"]
    return [_row(name, voices[name]) for name in VOICES if name in voices]


def page(record: Record, command: str) -> str:
    """The page; ``command`` is what made it."""
    at, null = record["at"]["delta"], record["null"]
    parts = [
        "# What moves a planner: figures of the causal audit\n",
        f"Made by `{command}`; not edited by hand. Waytrace {waytrace.__version__}, {date.today().isoformat()}. "
        f"[What every figure means](causes.md), and what it cannot say.\n",
        f"Planner `{record['label']}` (`{record['planner']}`), its claims by {WAYS[record['way']]}. "
        f"{number_of(record['moments'], 'moment')} of {number_of(record['scenes'], 'scene')} of "
        f"{number_of(record['layouts'], 'layout')}; the expert drives, "
        "everybody is asked at its states. Intervals: 95 %, whole layouts drawn with replacement within each family.\n",
        "## Faithfulness\n",
        markdown(["", *COLUMNS[1:]], [[VOICES[name], *_row(name, at["voices"][name])[1:]] for name in VOICES
                                      if name in at["voices"]]) + "\n",
        "N: what is cited is undone, and the plan moves. I: an agent like it that is not cited goes, and the plan "
        "stays. S: nothing but what is cited is left, and the plan stays. F: their harmonic mean. *between*: "
        "(F - F random) / (F expert - F random), for the planner with random claims about its own plans as the "
        "floor.\n",
        "## The metric's own test: planted liars\n",
        soundness(record) + "\n",
        order(at["order"]) + "\n",
        "## How far is moved?\n",
        _null(null) + "\n",
        markdown(["F at", *record["at"]], _thresholds(record)) + "\n",
        "The order of the liars at each threshold: " + "; ".join(
            f"{name}: {sum(p['shown'] for p in found['order'])} of {len(found['order'])} pairs shown"
            for name, found in record["at"].items()
        ) + ".\n",
        "## Citing what the expert cites\n",
        "F1 of the causes as a set against the expert's at the same moment: the planner "
        f"{_value(at['voices']['planner']['cause_set_f1'])}, as many drawn at random "
        f"{_value(at['voices']['planner-random']['cause_set_f1'])}.\n",
        "## Direction\n",
        "Of longitudinal causes whose undoing moves the plan, the share without which it gets further: the planner "
        f"{_value(at['voices']['planner']['direction'])}, the expert {_value(at['voices']['honest']['direction'])}.\n",
    ]  # fmt: skip
    if record["way"] == "trace":
        parts += ["## What the trace does\n", _table(_response(at["trace_response"])) + "\n"]
    if at["held_out"]:
        parts += ["## Edits of other kinds\n", _HELD_OUT, _held_out(at["held_out"]) + "\n"]
    if at["mediation"] is not None:
        parts += ["## Does the plan come from the trace?\n", _table(_mediated(at["mediation"])) + "\n"]
        parts += [_two_by_two(at) + "\n"]
    if at["closed_loop"]["scenes"]:
        parts += ["## In closed loop\n", _closed(record["at"]) + "\n"]
    return "\n".join(parts).rstrip() + "\n"


def _row(name: str, voice: Record) -> list[str]:
    parts = [_bare(voice[part]) for part in ("necessity", "invariance", "sufficiency")]
    return [
        name, *parts, _value(voice["faithfulness"]), _value(voice["between"]), _bare(voice["abstains"]),
        str(voice["cited"]) + (f" + {voice['untested']} untested" if voice["untested"] else ""),
    ]  # fmt: skip


def _bare(figure: Record) -> str:
    return "-" if figure["value"] is None else f"{figure['value']:.2f}"


def _value(figure: Record) -> str:
    bounds = "" if figure["low"] is None else f" [{figure['low']:.2f}, {figure['high']:.2f}]"
    return f"{_bare(figure)}{bounds}"


def _pair(pair: Record) -> list[str]:
    bounds = "-" if pair["low"] is None else f"{pair['low']:.3f} to {pair['high']:.3f}"
    return [
        pair["better"],
        pair["worse"],
        "-" if pair["value"] is None else f"{pair['value']:.3f}",
        bounds,
        "yes" if pair["shown"] else "no",
    ]


def order(pairs: Sequence[Record]) -> str:
    """The table of pairs of which one is known to be above the other."""
    return markdown(["known to be above", "", "difference of F", "95 %", "shown"], [_pair(p) for p in pairs])


def soundness(record: Record) -> str:
    """Whether the metric passes its own test, in a sentence."""
    if not record["sound"]:
        return (
            "**Failed: the honest expert is not above every liar, or there are too few moments to tell. The figures "
            "above mean nothing.**"
        )
    if record["order_shown"]:
        return "Passed: every pair stands in the order that was known before, the interval of the difference above 0."
    return "The honest expert is above every liar; not every pair is shown by its interval."


def _null(null: Record) -> str:
    bands = ["below 2", "2 to 6", "6 to 10", "from 10"]
    table = markdown(
        ["ego's speed, m/s", "irrelevant edits", "99th percentile, m", "delta, m"],
        [
            [band, str(count), f"{found:.3f}", f"{used:.3f}"]
            for band, count, found, used in zip(
                bands, null["edits"], null["percentile_m"], null["delta_m"], strict=True
            )
        ],
    )
    return (
        "Delta is the 99th percentile of how far the expert's plan moves when somebody who cannot matter is taken "
        f"away, by speed band, and at least {null['resolution_m']:g} m.\n\n{table}"
    )


def _thresholds(record: Record) -> list[list[str]]:
    names = [name for name in VOICES if name in record["at"]["delta"]["voices"]]
    return [
        [name, *(_bare(found["voices"][name]["faithfulness"]) for found in record["at"].values())] for name in names
    ]


def _table(found: list[tuple[str, Record]]) -> str:
    return markdown(["", "share [95 %]", "moments"], [[text, _value(f), str(f["asked"])] for text, f in found])


def _response(found: Record) -> list[tuple[str, Record]]:
    return [
        ("what was undone is no longer cited", found["vanished"]),
        ("without what it cited, it decides as the expert does there", found["decides_as_expert"]),
        ("silent: the plan moved, the trace says the same", found["plan_alone"]),
        ("silent: the trace says otherwise, the plan stayed", found["trace_alone"]),
    ]


_HELD_OUT = (
    "The first agent that is cited is put 8 m further on, drives at half its speed, or comes a second later. The "
    "planner beside the expert:\n"
)


def _held_out(found: Record) -> str:
    names = ["moves", "expert_moves", "agree", "same_direction"]
    return markdown(
        ["edit", "the planner's plan moves", "the expert's", "both or neither", "if both, in one direction", "moments"],
        [[kind, *(_value(f[name]) for name in names), str(f["agree"]["asked"])] for kind, f in found.items()],
    )


def _mediated(found: Record) -> list[tuple[str, Record]]:
    return [
        ("another feasible decision is put in: the plan obeys", found["obeyed"]),
        ("the rules of that decision hold for the new plan", found["rules_hold"]),
        ("the same, plan first and told afterwards: the plan obeys", found["plan_first_obeyed"]),
        ("early answer (no trace): another plan", found["early_answer_differs"]),
        ("filler before the decision: another plan", found["filler_differs"]),
        ("filler before the decision: the same decision", found["filler_decides_alike"]),
    ]


def _two_by_two(at: Record) -> str:
    lines = []
    for text, counts in (("the planner", at["two_by_two"]), ("plan first", at["two_by_two_plan_first"])):
        if counts is not None:
            lines.append([text, *(str(v) for v in counts.values())])
    columns = ["moments", "input-causal and trace-mediated", "input-causal only", "trace-mediated only", "neither"]
    return "Moments of which both were asked.\n\n" + markdown(columns, lines)


def _closed(at: Record) -> str:
    lines = [
        [f"{text}, beyond {threshold}", _value(found[f"{voice}/cited"]), _value(found[f"{voice}/uncited"])]
        for threshold, found in ((name, at[name]["closed_loop"]) for name in ("delta", "2 m"))
        for text, voice in (("the planner", "planner"), ("the expert", "honest"))
    ]
    scenes = number_of(at["delta"]["closed_loop"]["scenes"], "scene")
    return (
        f"On {scenes}, the first in which both cite an agent and there is one "
        "like it. Share of drives that move, up to 6 s after the moment, with common random numbers; others react.\n\n"
        + markdown(["", "without a cited agent", "without one like it, uncited"], lines)
    )
