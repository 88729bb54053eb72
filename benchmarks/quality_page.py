"""The page of the causes, the calibration and the stability of a planner's traces."""

from __future__ import annotations

from datetime import date
from typing import Any

import waytrace
from figure_counts import Figure, Ledger
from label_forecasts import diagram
from quality_asked import PLACE_M, SPEED_MPS
from quality_causes import KINDS
from quality_definitions import CALIBRATION, CAUSES, STABILITY
from quality_odds import OddsBook
from waytrace.cli.tables import markdown
from waytrace.evaluate.calibration import Calibration

ODDS = {
    "own/longitudinal": "longitudinal decision, after the planner's own words",
    "own/lateral": "lateral decision, after its own words and its own longitudinal one",
    "own/both": "both decisions",
    "told/longitudinal": "longitudinal decision, after the label's words",
    "told/lateral": "lateral decision, after the label's words",
}
STATED = {
    "confidence": "`confidence_bin`: both decisions are the label's",
    "forecasts": "`predictions.p_bin`: the intent comes true",
    "label forecasts": "the same of the labels' own forecasts",
}
WHO = {
    "beside": "the planner, asked at the expert's states",
    "expert": "the expert, at the same states",
    "alone": "the planner, driving itself",
}
STEADY = {
    "flips": "steps that change the decision",
    "longitudinal_flips": "along the path",
    "lateral_flips": "across it",
    "flickers": "steps that change it and are taken back within 1 s",
    "taken_back": "changes that are taken back within 1 s",
    "causes_kept": "causes that stay from step to step",
}
METRES = {"apart_2s": "a plan from the next one, after 2 s", "apart_4s": "after 4 s"}


def figures(ledger: Ledger, odds: OddsBook) -> dict[str, Any]:
    """The figures by name, None for what could not be asked."""
    out: dict[str, Any] = {
        f"cause_f1_{how}": {name: ledger.share(f"{how}/{name}").value for name in _cause_rows()}
        for how in ("micro", "mean")
    }
    for name in (*ODDS, *STATED):
        found, skill = odds.calibration(name), odds.brier(name)
        out[f"calibration {name}"] = found and {"ece": found.error, "chance": found.chance, "over": found.over}
        out[f"brier {name}"] = skill and {"score": skill.score, "skill": skill.skill}
    for what in (*STEADY, *METRES):
        out[what] = {who: ledger.share(f"{what}/{who}").value for who in WHO}
    for told in ("order decision", "order plan", "noise decision", "noise expert decision"):
        out[told] = ledger.share(told).value
    return out


def pictures(odds: OddsBook) -> dict[str, str]:
    """Reliability diagrams by file name, of what was asked."""
    out = {}
    for axis in ("longitudinal", "lateral"):
        found = odds.calibration(f"own/{axis}")
        if found is not None:
            bins = [(g.stated, g.true, g.count) for g in found.groups]
            out[f"calibration-{axis}.svg"] = diagram(bins, what=f"{axis} decisions", came="was the label's")
    return out


def page(ledger: Ledger, odds: OddsBook, about: dict[str, Any]) -> str:
    """The page as Markdown."""
    parts = [
        "# Causes, calibration and stability of a planner's traces\n",
        f"Made by `{about['command']}`; not edited by hand. Waytrace {waytrace.__version__}, "
        f"{date.today().isoformat()}; checkpoint {about['digest'] or 'without a digest'}.\n",
        f"The scenes and moments of [the other figures](trace-figures.md): {about['moments']} moments of "
        f"{about['scenes']} scenes of split select, seeds from {about['seed']} on, among the first "
        f"{about['decisions']} decisions of each. The expert drives, every decision is labelled, the planner is asked "
        "at each and remembers its own last decision. Stability is over whole drives: those, and the planner's own "
        "drives of the same scenes." + _left(about) + "\n",
        markdown(["figure", "measured", "95 %", "asked"], _first(ledger, odds)) + "\n",
        "Intervals draw whole scenes with replacement (2000 draws, percentiles). \"asked\" is what a share is over: "
        "moments, causes, steps from one decision to the next.\n",
        CAUSES, _causes(ledger) + "\n",
        CALIBRATION, _calibration(odds, ODDS) + "\n", _drawn(odds),
        "### What a trace states of itself\n", _calibration(odds, STATED) + "\n", _untold(ledger), _bins(odds) + "\n",
        "### Slot by slot, after the label's words\n", _slots(ledger, odds) + "\n",
        STABILITY, _steady(ledger) + "\n", _unasked(ledger), _beside(ledger) + "\n",
        "### The same scene told otherwise\n", _otherwise(ledger) + "\n",
        "### Claims where the planner drives itself\n", _alone(ledger) + "\n",
    ]  # fmt: skip
    return "\n".join(part for part in parts if part).rstrip() + "\n"


def _left(about: dict[str, Any]) -> str:
    left = about["asked"] - about["scenes"]
    return f" The other {left} of {about['asked']} scenes were not run." if left else ""


def _first(ledger: Ledger, odds: OddsBook) -> list[list[str]]:
    rows = [
        _row("cause-set F1, over all causes", ledger.share("micro/cited")),
        _row("cause-set F1, mean over moments", ledger.share("mean/cited")),
        _row("the same, the nearest agent cited wherever the label cites anything", ledger.share("mean/cited/nearest")),
        _row("the same, always the one ahead", ledger.share("mean/cited/lead")),
    ]
    for axis in ("longitudinal", "lateral"):
        found = odds.calibration(f"own/{axis}")
        if found is not None:
            rows.append(
                [
                    f"calibration error, {axis} decision, corrected ({found.error:.3f} as it is, "
                    f"{found.chance:.3f} by chance)",
                    f"{found.corrected:.3f}", _bounds(found.corrected_interval), f"{found.count}",
                ]
            )  # fmt: skip
    for who, words in WHO.items():
        rows.append(_row(f"steps that change the decision: {words}", ledger.share(f"flips/{who}")))
    for who, words in WHO.items():
        rows.append(_row(f"of these taken back within 1 s: {words}", ledger.share(f"taken_back/{who}")))
    rows.append(_row("decisions that stay when agents are listed in another order", ledger.share("order decision")))
    rows.append(_row("decisions that stay under noise", ledger.share("noise decision")))
    rows.append(_row("the expert's own that stay under the same noise", ledger.share("noise expert decision")))
    return rows


def _row(name: str, figure: Figure) -> list[str]:
    return [name, _value(figure), _interval(figure), f"{figure.of:.0f}"]


def _value(figure: Figure) -> str:
    return "not asked" if figure.value is None else f"{figure.value:.3f}"


def _interval(figure: Figure) -> str:
    return _bounds(None if figure.low is None or figure.high is None else (figure.low, figure.high))


def _bounds(interval: tuple[float, float] | None) -> str:
    return "-" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def _cause_rows() -> dict[str, str]:
    rows = {name: about for name, (_, about) in KINDS.items()}
    return rows | {
        "cited/nearest": "instead of the planner's: the nearest agent, wherever the label cites anything",
        "cited/lead": "instead: always the one ahead in the lane, nothing where nobody is",
        "cited/said": "the planner's, on moments with a decision before",
        "cited/last": "instead, on those: the expert's causes of half a second ago",
    }


def _causes(ledger: Ledger) -> str:
    rows = []
    for name, about in _cause_rows().items():
        micro, mean = ledger.share(f"micro/{name}"), ledger.share(f"mean/{name}")
        parts = [ledger.share(f"{part}/{name}") for part in ("precision", "recall")]
        rows.append([about, _value(micro), _interval(micro), _value(mean), _interval(mean), *map(_value, parts),
                     f"{mean.of:.0f}"])  # fmt: skip
    none, label = ledger.share("causes none"), ledger.share("causes none label")
    text = (
        f"Moments without any cause: {_value(none)} of the planner's traces ({_interval(none)}), {_value(label)} of "
        "the labels'. Where both cite nothing there is nothing to compare; where one does, F1 is 0.\n\n"
    )
    return text + markdown(["causes", "F1", "95 %", "mean F1", "95 %", "precision", "recall", "moments"], rows)


def _calibration(odds: OddsBook, names: dict[str, str]) -> str:
    rows = []
    for name, about in names.items():
        found, score = odds.calibration(name), odds.brier(name)
        if found is None or score is None:
            rows.append([about, "not asked", *["-"] * 10])
            continue
        rows.append(
            [
                about, f"{found.stated:.3f}", f"{found.true:.3f}", f"{found.over:+.3f}", _bounds(found.over_interval),
                f"{found.error:.3f}", f"{found.chance:.3f} ({found.chance_most:.3f})",
                f"{found.corrected:.3f} ({_bounds(found.corrected_interval)})", f"{score.score:.3f}",
                "-" if score.skill is None else f"{score.skill:.3f}", _bounds(score.interval), f"{found.count}",
            ]
        )  # fmt: skip
    columns = [
        "of", "stated", "true", "over-stated", "95 %", "error", "by chance (97.5 %)", "corrected (95 %)", "Brier",
        "skill", "95 %", "asked",
    ]  # fmt: skip
    return markdown(columns, rows)


def _drawn(odds: OddsBook) -> str:
    images = [
        f"![Reliability of {axis} decisions](pictures/calibration-{axis}.svg)"
        for axis in ("longitudinal", "lateral") if odds.calibration(f"own/{axis}") is not None
    ]  # fmt: skip
    return "\n".join(images) + "\n" if images else ""


def _untold(ledger: Ledger) -> str:
    untold = ledger.share("forecasts untold")
    return (
        f"Forecasts of which nobody can tell what came of them: {_value(untold)} of {untold.of:.0f}; they are in no "
        "figure.\n"
    )


def _bins(odds: OddsBook) -> str:
    rows = []
    for name in STATED:
        found = odds.calibration(name)
        rows += [
            [STATED[name], f"{group.stated:.3f}", f"{group.true:.3f}", f"{group.count}"]
            for group in (found.groups if found is not None else ())
        ]
    return markdown(["of", "stated", "came true", "how many"], rows)


def _slots(ledger: Ledger, odds: OddsBook) -> str:
    rows = []
    for name in odds.names("told/"):
        found, score = odds.calibration(name), odds.brier(name)
        if found is None or score is None:
            continue
        rows.append(
            [
                f"`{name.removeprefix('told/')}`", f"{found.true:.3f}", _over(found), f"{found.error:.3f}",
                f"{found.chance:.3f} ({found.chance_most:.3f})", "yes" if found.shown else "no",
                "-" if score.skill is None else f"{score.skill:.3f}", _bounds(score.interval), f"{found.count}",
            ]
        )  # fmt: skip
    unsayable = ledger.share("label unsayable")
    text = (
        f"Labels that the planner could not have written, since something they point at has no token: "
        f"{_value(unsayable)} of {unsayable.of:.0f}; they are left out here.\n\n"
    )
    columns = ["slot", "right", "over-stated", "error", "by chance (97.5 %)", "more", "skill", "95 %", "asked"]
    return text + markdown(columns, rows)


def _over(found: Calibration) -> str:
    return f"{found.over:+.3f}"


def _steady(ledger: Ledger) -> str:
    rows = []
    for what, about in (STEADY | METRES).items():
        cells = [about]
        for who in WHO:
            found = ledger.share(f"{what}/{who}")
            unit = " m" if what in METRES else ""
            cells += [_value(found) + unit, _interval(found)]
        rows.append(cells)
    columns = ["", *(cell for words in WHO.values() for cell in (words, "95 %"))]
    steps = ", ".join(f"{ledger.share(f'flips/{who}').of:.0f}" for who in WHO)
    return markdown(columns, rows) + f"\n\nSteps: {steps}."


def _unasked(ledger: Ledger) -> str:
    found = ledger.share("flips unasked")
    return (
        f"Changes of the planner's decision at the expert's states during which the expert's own stayed, half a second "
        f"before and after included: {_value(found)} ({_interval(found)}) of {found.of:.0f}.\n"
    )


def _beside(ledger: Ledger) -> str:
    rows = []
    for what, about in (STEADY | METRES).items():
        cells = [about]
        for who in ("beside", "alone"):
            found = ledger.difference(f"{what}/{who}", f"{what}/expert")
            cells += ["not asked" if found.value is None else f"{found.value:+.3f}", _interval(found)]
        rows.append(cells)
    return "Above the expert's, on the same scenes drawn together:\n\n" + markdown(
        ["", WHO["beside"], "95 %", WHO["alone"], "95 %"], rows
    )


def _otherwise(ledger: Ledger) -> str:
    text = (
        "Another order: the same drive of a scenario whose agents are listed in an order drawn at random. Noise: "
        f"everybody but the ego stands {100 * PLACE_M:g} cm off along x and y each and drives {SPEED_MPS:g} m/s "
        "faster or slower (standard deviations of a normal; one draw for the whole of a track's past, so that it is "
        "off and does not tremble). The expert is asked with the memory that it had.\n\n"
    )
    rows = [
        _row("another order: both decisions stay", ledger.share("order decision")),
        _row("every word stays", ledger.share("order words")),
        _row("the plan stays to the last bit", ledger.share("order plan")),
    ]
    for who, words in (("noise", "the planner's"), ("noise expert", "the expert's")):
        rows += [
            _row(f"noise: both of {words} decisions stay", ledger.share(f"{who} decision")),
            _row("the longitudinal one", ledger.share(f"{who} longitudinal")),
            _row("the lateral one", ledger.share(f"{who} lateral")),
            _row("what is cited stays, on both axes", ledger.share(f"{who} causes")),
            _row("m that the plan moves at 4 s, mean", ledger.share(f"{who} moved_m")),
        ]
    rows.append(_row_of("decisions that stay, the planner's less the expert's",
                        ledger.difference("noise decision", "noise expert decision")))  # fmt: skip
    return text + markdown(["", "measured", "95 %", "asked"], rows)


def _row_of(name: str, figure: Figure) -> list[str]:
    value = "not asked" if figure.value is None else f"{figure.value:+.3f}"
    return [name, value, _interval(figure), f"{figure.of:.0f}"]


def _alone(ledger: Ledger) -> str:
    rows = [
        _row("claims about the present that are true", ledger.share("alone true")),
        _row("that are false", ledger.share("alone false")),
        _row("that cannot be told", ledger.share("alone undetermined")),
        _row("claims about the plan that hold, of those that can be told", ledger.share("alone bound")),
    ]
    return markdown(["", "share", "95 %", "asked"], rows)
