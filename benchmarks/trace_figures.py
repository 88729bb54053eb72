"""How honest a trained planner's traces are: writes ``docs/trace-figures.md``.

    python benchmarks/trace_figures.py CHECKPOINT [--scenes 360] [--page docs/trace-figures.md]

The expert drives scenes of split select, families in turn, on seeds that no suite and no sample store uses; the planner
is asked at the same states without driving. The last line of standard output is one JSON object with the figures.
Ctrl-C ends the counting early and writes the page.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

import numpy as np

from figure_counts import APART_M, AXES, Ledger, claim_group, claim_kind, obeyed, others, same
from figure_moments import Forced, Moment, moments, proximate, verdicts, with_claims, words
from figure_page import figures, page
from figure_scenes import DECISIONS, command, each, options, parsed
from waytrace.microgpt.planner import loaded
from waytrace.scenario import Scenario, WaytraceError

SHUFFLES = 5
"""Other moments whose words each plan is put beside."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options(parser, "docs/trace-figures.md")
    parser.add_argument("--note", default="", help="a sentence for the page: what the checkpoint is")
    arguments = parsed(parser)
    try:
        model, digest = loaded(str(arguments.checkpoint))
    except WaytraceError as error:
        print(f"trace_figures: {error}", file=sys.stderr)
        return 2
    ledger, kept = Ledger(), list[Moment]()

    def look(scenario: Scenario, family: str, at: list[int]) -> None:
        ledger.place(scenario.id, family)
        found = list(moments(model, scenario, at))
        for moment in found:
            count(moment, ledger)
        kept.extend(found)

    done = each(arguments, look)
    shuffle(kept, ledger)
    about = {
        "command": command("trace_figures", arguments),
        "digest": digest[:16], "note": arguments.note, "scenes": done, "moments": len(kept), "seed": arguments.seed,
        "decisions": DECISIONS, "shuffles": SHUFFLES,
    }  # fmt: skip
    arguments.page.write_text(page(ledger, about))
    print(json.dumps(figures(ledger) | {"scenes": done, "moments": len(kept), "checkpoint": digest[:16]}))
    return 0


def count(m: Moment, ledger: Ledger) -> None:
    """All that can be counted of one moment by itself."""
    said, label, scene = m.answer.trace, m.label.label, m.scenario
    mass_of_all = 1.0
    for entry in m.answer.written:
        if entry.chosen:
            ledger.add("mass", scene, entry.mass)
            ledger.add(f"mass/{entry.slot.name}", scene, entry.mass)
            ledger.add("mass_low", scene, entry.mass < 0.5)
            mass_of_all *= entry.mass
    ledger.add("mass_whole", scene, mass_of_all)
    for axis, mine, right in zip(AXES, words(said), words(label.trace), strict=True):
        ledger.decide(axis, scene, axis, right, mine)
        if m.label.before is not None:
            ledger.decide(f"{axis}/said", scene, axis, right, mine)
            ledger.decide(f"{axis}/last", scene, axis, right, getattr(m.label.before.decision, axis))
    cause = proximate(label.trace)
    if cause is not None:
        ledger.add("proximate", scene, same(cause, proximate(said)))
        ledger.add("proximate_cited", scene, cause in {c.ref for c in said.decision.causes})
        if said.decision.longitudinal == label.trace.decision.longitudinal:
            ledger.add("proximate_decided", scene, same(cause, proximate(said)))
    own = verdicts(said, m.scene, m.answer.plan, m.previous)
    judged(own, "", scene, ledger)
    judged(verdicts(label.trace, m.scene, label.plan, m.label.before), "label ", scene, ledger)
    ledger.add("consistent_whole", scene, all(v == "true" for claim, v in own.items() if claim_kind(claim)))
    for forced in m.forced:
        obedience(forced, scene, ledger)
    ledger.add("unforceable", scene, m.unforceable, m.unforceable + len(m.forced))
    for cut, (at_4s, most, wrong) in m.cuts.items():
        for name, metres in (("at_4s", at_4s), ("most", most), ("wrong", wrong)):
            ledger.add(f"cut_{name}/{cut}", scene, metres)


def judged(found: dict[str, str], who: str, scene: str, ledger: Ledger) -> None:
    """Claims of a trace: all of them by group, and those that are bound to the plan by kind."""
    for claim, value in found.items():
        for verdict in ("true", "false", "undetermined"):
            ledger.add(f"{who}{verdict}", scene, value == verdict)
            ledger.add(f"{who}{verdict}/{claim_group(claim)}", scene, value == verdict)
        kind = claim_kind(claim)
        if kind:
            ledger.add(f"{who}consistency", scene, value == "true")
            ledger.add(f"{who}consistency/{kind}", scene, value == "true")
            ledger.add(f"{who}consistency_undetermined", scene, value == "undetermined")


def obedience(f: Forced, scene: str, ledger: Ledger) -> None:
    """One forced decision: the rules of what was changed, the way the plan moved, and both."""
    rule, moved = obeyed([f.verdicts[axis] for axis in f.changed], f.to_asked_m, f.to_own_m)
    both_axes = all(value == "true" for value in f.verdicts.values())
    anyway, _ = obeyed([f.verdicts_before[axis] for axis in f.changed], 0.0, 0.0)
    reachable, _ = obeyed([f.verdicts_label[axis] for axis in f.changed], 0.0, 0.0)
    apart = f.own_to_asked_m >= APART_M
    ledger.add(f"{f.kind}/told_apart", scene, apart)
    ledger.add(f"{f.kind}/rule", scene, rule)
    ledger.add(f"{f.kind}/rule_anyway", scene, anyway)
    ledger.add(f"{f.kind}/rule_label", scene, reachable)
    ledger.add(f"{f.kind}/rule_both_axes", scene, both_axes)
    ledger.add(f"{f.kind}/moved_at_all", scene, f.to_own_m >= APART_M)
    if apart:
        ledger.add(f"{f.kind}/moved", scene, moved)
        ledger.add(f"{f.kind}/both", scene, rule and moved)
        if f.whole_m is not None:
            ledger.add(f"{f.kind}/moved_whole", scene, obeyed([], *f.whole_m)[1])
        for axes in ("longitudinal", "lateral", "both"):
            if axes == ("both" if len(f.changed) == 2 else f.changed[0]):
                ledger.add(f"{f.kind}/both/{axes}", scene, rule and moved)


def shuffle(kept: Sequence[Moment], ledger: Ledger) -> None:
    """The plans of moments beside the words of others; beside that, the own words on the same claims."""
    speeds, scenes = [m.speed_mps for m in kept], [m.scenario for m in kept]
    for m in kept:
        found = verdicts(m.answer.trace, m.scene, m.answer.plan, m.previous)
        told = m.answer.trace.plan.target_lane is None
        _bound(found, told, "like", m.scenario, ledger)
    for name, banded in (("band", True), ("any", False)):
        random = np.random.default_rng(0)
        for _ in range(SHUFFLES if kept else 0):
            for m, other in zip(kept, others(speeds, scenes, random, banded=banded), strict=True):
                if other is not None:
                    mixed, told = with_claims(m.answer.trace, kept[other].answer.trace)
                    _bound(verdicts(mixed, m.scene, m.answer.plan, m.previous), told, name, m.scenario, ledger)


def _bound(found: dict[str, str], lane_told: bool, name: str, scene: str, ledger: Ledger) -> None:
    for claim, value in found.items():
        kind = claim_kind(claim)
        if kind and (lane_told or kind != "target_lane"):
            ledger.add(f"shuffled_{name}", scene, value == "true")
            ledger.add(f"shuffled_{name}/{kind}", scene, value == "true")


if __name__ == "__main__":
    sys.exit(main())
