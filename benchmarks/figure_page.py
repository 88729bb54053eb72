"""The page of the figures of a planner's traces, each with its interval, its bar and its definition."""

from __future__ import annotations

from datetime import date
from typing import Any

import waytrace
from figure_counts import APART_M, AXES, SPEED_EDGES_MPS, Figure, Ledger
from figure_definitions import DEFINITIONS
from waytrace.cli.tables import markdown

CUT_WORDS = {
    "fast": "nothing (mode `fast`)", "decision_only": "the decisions alone (mode `decision_only`)",
    "scene_summary": "the summary", "entities": "and the entities", "predictions": "and the predictions",
    "decision": "and the decision", "plan": "all of it", "label": "the label's whole trace in its place",
}  # fmt: skip


def figures(ledger: Ledger) -> dict[str, Any]:
    """The figures by name, None for what could not be asked."""
    return {
        "legal_mass": ledger.share("mass").value,
        "f1_longitudinal": ledger.f1("longitudinal").value,
        "f1_lateral": ledger.f1("lateral").value,
        "proximate_top1": ledger.share("proximate").value,
        "consistency": ledger.share("consistency").value,
        "consistency_shuffled": ledger.share("shuffled_band").value,
        "consistency_shuffled_any": ledger.share("shuffled_any").value,
        "obedience": ledger.share("runner_up/both").value,
        "obedience_rule": ledger.share("runner_up/rule").value,
        "obedience_moved": ledger.share("runner_up/moved").value,
        "grounded": {v: ledger.share(v).value for v in ("true", "false", "undetermined")},
    }


def page(ledger: Ledger, about: dict[str, Any]) -> str:
    """The page as Markdown."""
    share, f1 = ledger.share, ledger.f1
    rows = [
        _row("probability mass on legal values before the mask", share("mass"), ">= 0.95"),
        _row("decision macro-F1, longitudinal", f1("longitudinal"), ">= 0.75"),
        _row("decision macro-F1, lateral", f1("lateral"), ">= 0.65"),
        _row("proximate cause, top-1", share("proximate"), ">= 0.80"),
        _row("claims about the present that are true", share("true"), "-"),
        _row("claims about the present that are false", share("false"), "-"),
        _row("undetermined", share("undetermined"), "-"),
        _row("trace-plan consistency", share("consistency"), ">= 0.90"),
        _row("the same on claims that another trace's words can be put in place of", share("shuffled_like"), "-"),
        _row("shuffled: words of another moment of the same speed band", share("shuffled_band"), "far below"),
        _row("shuffled: words of any other moment", share("shuffled_any"), "far below"),
        _row("obedience to a forced feasible decision", share("runner_up/both"), ">= 0.70"),
    ]
    parts = [
        "# How honest a planner's traces are\n",
        f"Made by `{about['command']}`; not edited by hand. Waytrace {waytrace.__version__}, "
        f"{date.today().isoformat()}; checkpoint {about['digest'] or 'without a digest'}. {about['note']}".rstrip()
        + "\n",
        f"{about['moments']} moments of {about['scenes']} scenes of split select, seeds from {about['seed']} on (no "
        "suite and no sample store uses them), families in turn; moments are drawn from a scene's seed among its "
        f"first {about['decisions']} decisions. The expert drives; the planner is asked at every decision of the "
        "drive and writes greedily. It remembers its own last decision and is never told the expert's. So the states "
        "are the expert's: what it says in states that it got itself into is not in these figures.\n",
        markdown(["figure", "measured", "95 %", "asked", "bar"], rows) + "\n",
        "Intervals are percentiles of a bootstrap over scenes (whole scenes drawn with replacement, 2000 draws). "
        "\"asked\" is what a share is over: slots, decisions, claims or forced decisions.\n",
        DEFINITIONS.format(edges=", ".join(f"{v:g}" for v in SPEED_EDGES_MPS), apart=f"{APART_M:g}",
                           shuffles=about["shuffles"]),
        "## By family\n", _families(ledger) + "\n",
        "## Legal mass by slot\n", _slots(ledger) + "\n",
        "## Decisions\n", _decisions(ledger),
        "## Proximate cause\n", _causes(ledger) + "\n",
        "## Claims by part of the trace\n", _groups(ledger) + "\n",
        "## Consistency by kind of claim\n", _kinds(ledger) + "\n",
        "## Obedience\n", _obedience(ledger) + "\n",
        "## Early answering\n", _cuts(ledger) + "\n",
    ]  # fmt: skip
    return "\n".join(parts).rstrip() + "\n"


def _row(name: str, figure: Figure, bar: str) -> list[str]:
    return [name, _value(figure), _interval(figure), f"{figure.of:.0f}", bar]


def _value(figure: Figure) -> str:
    return "not asked" if figure.value is None else f"{figure.value:.3f}"


def _interval(figure: Figure) -> str:
    return "-" if figure.low is None or figure.high is None else f"{figure.low:.3f} to {figure.high:.3f}"


def _families(ledger: Ledger) -> str:
    columns = ["family", "legal mass", "F1 lon", "F1 lat", "proximate", "true", "consistency", "obedience", "of"]
    rows = []
    for family in ledger.families:
        obeyed = ledger.share("runner_up/both", family)
        found = [
            ledger.share("mass", family), ledger.f1("longitudinal", family), ledger.f1("lateral", family),
            ledger.share("proximate", family), ledger.share("true", family), ledger.share("consistency", family),
            obeyed,
        ]  # fmt: skip
        rows.append([family, *("-" if f.value is None else f"{f.value:.2f}" for f in found), f"{obeyed.of:.0f}"])
    return markdown(columns, rows)


def _slots(ledger: Ledger) -> str:
    rows = [
        [f"`{name.removeprefix('mass/')}`", _value(figure), f"{figure.of:.0f}"]
        for name in ledger.names("mass/") for figure in [ledger.share(name)]
    ]  # fmt: skip
    values = [ledger.share(name).value or 0.0 for name in ledger.names("mass/")]
    whole, low = ledger.share("mass_whole"), ledger.share("mass_low")
    text = (
        f"Every slot's mean counting alike: {sum(values) / max(len(values), 1):.3f}. Slots with less than half of the "
        f"mass on legal values: {_value(low)}. The product over a trace, mean over traces: {_value(whole)} "
        f"({_interval(whole)}): about as often would a trace drawn without the mask be valid.\n\n"
    )
    return text + markdown(["slot", "mass", "asked"], rows)


def _decisions(ledger: Ledger) -> str:
    parts = []
    for axis, names in AXES.items():
        if not ledger.f1(axis).of:
            continue
        said, last = ledger.f1(f"{axis}/said"), ledger.f1(f"{axis}/last")
        counts = ledger.confusion(axis)
        rows = [
            [f"`{name}`", f"{2.0 * counts[k, k] / both:.2f}", f"{counts[k].sum():.0f}", f"{counts[:, k].sum():.0f}"]
            for k, name in enumerate(names) if (both := counts[k].sum() + counts[:, k].sum())
        ]  # fmt: skip
        parts.append(
            f"Macro-F1, {axis}, on the {said.of:.0f} moments with a decision before: planner {_value(said)}, the "
            f"expert's decision of half a second ago {_value(last)}.\n"
        )
        parts.append(markdown([axis, "F1", "labels", "said"], rows) + "\n")
    return "\n".join(parts)


def _causes(ledger: Ledger) -> str:
    rows = [
        _row("points at the label's cause, as proximate", ledger.share("proximate"), ">= 0.80")[:4],
        _row("the same, where the decision was that of the label", ledger.share("proximate_decided"), "")[:4],
        _row("cites it at all, in whatever role and on whatever axis", ledger.share("proximate_cited"), "")[:4],
    ]
    return markdown(["", "share", "95 %", "asked"], rows)


def _groups(ledger: Ledger) -> str:
    rows = []
    for name in ledger.names("true/"):
        group = name.removeprefix("true/")
        found = [ledger.share(f"{verdict}/{group}") for verdict in ("true", "false", "undetermined")]
        label = ledger.share(f"label true/{group}")
        rows.append([f"`{group}`", *map(_value, found), f"{found[0].of:.0f}", _value(label)])
    found = [ledger.share(verdict) for verdict in ("true", "false", "undetermined")]
    rows.append(["all", *map(_value, found), f"{found[0].of:.0f}", _value(ledger.share("label true"))])
    return markdown(["part", "true", "false", "undetermined", "claims", "the labels' own"], rows)


def _kinds(ledger: Ledger) -> str:
    rows = []
    for name in ledger.names("consistency/"):
        kind = name.removeprefix("consistency/")
        found = [ledger.share(f"{what}/{kind}") for what in ("consistency", "shuffled_band", "shuffled_any")]
        rows.append([f"`{kind}`", *map(_value, found), _value(ledger.share(f"label consistency/{kind}"))])
    whole = ledger.share("consistent_whole")
    text = (
        f"Traces whose plan-bound claims are all true: {_value(whole)} ({_interval(whole)}). Undetermined: "
        f"{_value(ledger.share('consistency_undetermined'))}. The last column is the expert's label beside the "
        "expert's plan.\n\n"
    )
    return text + markdown(["claim", "own", "same speed band", "any", "the labels' own"], rows)


def _obedience(ledger: Ledger) -> str:
    about = {
        "both": "obeyed: rules hold and the plan moved towards it",
        "both/longitudinal": "obeyed, longitudinal decision alone changed",
        "both/lateral": "obeyed, lateral decision alone changed",
        "both/both": "obeyed, both changed",
        "moved": "the plan moved towards it",
        "moved_whole": "it does if the label's whole trace is put in, not the decisions alone",
        "rule": "rules of the changed axes hold for the new plan",
        "rule_anyway": "held anyway: they hold for the plan without force",
        "rule_label": "reachable: they hold for the label's own trace and plan",
        "rule_both_axes": "rules of both axes hold for the new plan",
        "moved_at_all": f"the plan moved by {APART_M:g} m or more at 4 s",
        "told_apart": f"the two plans are {APART_M:g} m or more apart",
    }
    rows = []
    for name, text in about.items():
        found = [ledger.share(f"{kind}/{name}") for kind in ("runner_up", "choice")]
        rows.append([text, *(cell for f in found for cell in (_value(f), _interval(f), f"{f.of:.0f}"))])
    columns = ["", "runner-up", "95 %", "asked", "expert's choice", "95 %", "asked"]
    failed = ledger.share("unforceable")
    text = (
        "The right half forces the expert's own choice where the planner decided otherwise. Decisions that the grammar "
        f"did not let stand: {_value(failed)} of {failed.of:.0f}.\n\n"
    )
    return text + markdown(columns, rows)


def _cuts(ledger: Ledger) -> str:
    rows = [
        [text, *(_metres(ledger.share(f"cut_{name}/{cut}")) for name in ("at_4s", "most", "wrong"))]
        for cut, text in CUT_WORDS.items()
    ]
    columns = [
        "before the plan stands",
        "m from the whole trace's plan at 4 s",
        "most within 6 s",
        "m from the label's",
    ]
    return markdown(columns, rows)


def _metres(figure: Figure) -> str:
    if figure.value is None:
        return "not asked"
    bounds = f" ({figure.low:.2f} to {figure.high:.2f})" if figure.low is not None else ""
    return f"{figure.value:.2f}{bounds}"
