"""How good labels are, family by family: writes ``docs/label-quality.md`` and the picture of its forecasts.

    python benchmarks/label_quality.py [--scenes 10000] [--verify-every 10] [--forecast-every 10] [--seed 100000]
    python benchmarks/label_quality.py --calibrate      # prints the table for waytrace/label/calibration.py

Each scene is one of split train, driven by the expert in closed loop to a moment drawn from its seed; that decision is
labelled and checked. A sub-sample is re-simulated, and another one driven on to see what came of the forecasts. The
last line of standard output is one JSON object with the figures. Ctrl-C ends the counting early and writes the page.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

import waytrace
from label_forecasts import Outcome, diagram, frequencies, outcomes, reliability
from waytrace.catalogue import families, generate, generate_many
from waytrace.cli.tables import markdown, percent
from waytrace.label import Asker, LabelledMoment, from_certificate, label_drive, label_store, verified
from waytrace.label.asking import differ
from waytrace.label.without import without
from waytrace.observe import Reference, ReferenceKind
from waytrace.scenario.store import ScenarioWriter
from waytrace.trace import Present, TraceError, encode
from waytrace.trace.check import check

MOMENTS = 20
"""The moment is one of the first so many decisions: 0 to 9.5 s."""

OFTEN = 50
"""Rules asked less often than this are left out where the worst one is sought."""

REMOVED = 8
"""Agents, nearest first, that are taken away one by one in search of what a label leaves out."""


class Tally:
    """Counts of one family."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.rules: Counter[tuple[str, str]] = Counter()

    def add(self, other: Tally) -> None:
        self.counts += other.counts
        self.rules += other.rules

    def share(self, part: str, whole: str) -> float | None:
        return self.counts[part] / self.counts[whole] if self.counts[whole] else None


def main() -> int:
    arguments = _arguments()
    began = time.monotonic()
    if arguments.calibrate:
        return _calibrate(arguments)
    tallies: dict[str, Tally] = {}
    forecasts: list[Outcome] = []
    asker = Asker()
    names = families("train")
    try:
        for k in range(arguments.scenes):
            tally = tallies.setdefault(names[k % len(names)], Tally())
            forecasts += _scene(names[k % len(names)], k // len(names), tally, asker, arguments)
            if (k + 1) % 250 == 0:
                print(f"\r{k + 1}/{arguments.scenes}, {time.monotonic() - began:.0f} s", end="", file=sys.stderr)
    except KeyboardInterrupt:
        print("\ninterrupted: the page is about what was counted until now", file=sys.stderr)
    speed = _speed(arguments)
    whole = Tally()
    for tally in tallies.values():
        whole.add(tally)
    bins, brier = reliability(forecasts)
    arguments.picture.write_text(diagram(bins))
    arguments.page.write_text(_page(tallies, whole, bins, brier, len(forecasts), speed, arguments))
    print(json.dumps(_figures(whole) | {"brier": brier, "forecasts": len(forecasts)} | speed))
    return 0


def _scene(family: str, turn: int, tally: Tally, asker: Asker, arguments: argparse.Namespace) -> list[Outcome]:
    """Count one scene; what came of its forecasts, where it is driven on."""
    moment = _moment(family, arguments.seed + turn, tally)
    if moment is None:
        return []
    _checked(moment, tally)
    if turn % arguments.verify_every == 0:
        _tested(moment, tally, asker)
    return outcomes(moment) if turn % arguments.forecast_every == 0 else []


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=10_000)
    parser.add_argument("--verify-every", type=int, default=10, help="re-simulate every so many scenes of a family")
    parser.add_argument("--forecast-every", type=int, default=10, help="drive on every so many scenes of a family")
    parser.add_argument("--seed", type=int, default=100_000, help="first seed of split train")
    parser.add_argument("--calibrate", action="store_true", help="count how often each intent comes true, and stop")
    parser.add_argument("--speed-scenes", type=int, default=108, help="scenes of the test of speed")
    parser.add_argument("--page", type=Path, default=Path("docs/label-quality.md"))
    parser.add_argument("--picture", type=Path, default=Path("docs/pictures/label-forecasts.svg"))
    return parser.parse_args()


def _moment(family: str, seed: int, tally: Tally) -> LabelledMoment | None:
    """The labelled decision of a scene; None where the episode ended before."""
    drawn = hashlib.sha256(f"moment/{family}/{seed}".encode()).digest()
    tick = 5 * (int.from_bytes(drawn[:4], "big") % MOMENTS)
    tally.counts["scenes"] += 1
    scenario = generate(family, seed)
    try:
        found = list(label_drive(scenario, ticks=[tick], runner_up=True))
    except (TraceError, IndexError, KeyError, ValueError) as error:  # a labeller that fails has failed this label
        tally.counts["invalid"] += 1
        tally.counts["decisions"] += 1
        print(f"\n{scenario.id} at {tick}: {type(error).__name__}: {error}", file=sys.stderr)
        return None
    if found:
        tally.counts["decisions"] += 1
        tally.counts["truncated"] += found[0].label.gate == "truncated"
        tally.counts["runner_up"] += found[0].runner_up is not None
    return found[0] if found else None


def _checked(moment: LabelledMoment, tally: Tally) -> None:
    """Grammar and verdicts, of the choice and of the runner-up."""
    observation = moment.world.observe()
    present = Present.of(observation, 0)
    encode(moment.label.trace, present)
    tally.counts["valid"] += 1
    for v in check(moment.label.trace, moment.at.scene, moment.label.plan, moment.before):
        if v.kind != "present" or (v.claim == "decision.changed" and moment.before is None):
            continue
        tally.counts["claims"] += 1
        tally.counts[f"claims_{v.value}"] += 1
        tally.rules[v.rule, v.value] += 1
        if v.rule == "omission":
            tally.counts["omissions_asked"] += 1
            tally.counts["omissions"] += v.value == "false"


def _tested(moment: LabelledMoment, tally: Tally, asker: Asker) -> None:
    """Re-simulation of what is cited, and of the nearest agents that are not."""
    label, tests = verified(moment.label, moment.certificate, moment.at.scene, moment.state, asker)
    tally.counts["tested"] += 1
    tally.counts["rejected"] += label.gate == "rejected"
    before = moment.before.decision if moment.before is not None else None
    first, _ = from_certificate(moment.certificate, moment.at, before)
    first, _ = verified(first, moment.certificate, moment.at.scene, moment.state, asker)
    tally.counts["rejected_first"] += first.gate == "rejected"
    for test in tests:
        tally.counts[f"tests_{test.claim}"] += 1
        tally.counts[f"failed_{test.claim}"] += not test.holds
    scene, d = moment.at.scene, moment.label.trace.decision
    cited = {c.ref for c in d.causes}
    own = int(moment.certificate.considered.lane[0])
    for index in scene.agents.index[:REMOVED]:
        ref = Reference(ReferenceKind.AGENT, int(index))
        if ref in cited:
            continue
        plan, _ = asker.ask(without(scene, {ref}), moment.state)
        tally.counts["uncited"] += 1
        tally.counts["uncited_moving"] += differ(*asker.apart_m(scene, moment.label.plan, plan, own))


def _speed(arguments: argparse.Namespace) -> dict[str, float]:
    """Labelled decisions a second of ``waytrace label`` on two workers, and where the time of one goes."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        with ScenarioWriter(store) as writer:
            for scenario in generate_many(arguments.speed_scenes, seed=arguments.seed):
                writer.add(scenario)
        label_store(store, Path(folder) / "warm", workers=2, limit=32)
        began, used = time.monotonic(), _cpu_s()
        labels = label_store(store, Path(folder) / "labels", workers=2)
        seconds, cpu = time.monotonic() - began, _cpu_s() - used
    return {
        "decisions_per_s": len(labels) / seconds, "decisions_per_two_cpu_s": 2.0 * len(labels) / cpu,
        "load": os.getloadavg()[0], "cores": os.cpu_count() or 1, **_parts(),
    }  # fmt: skip


def _cpu_s() -> float:
    """CPU time of worker processes that have ended, start and imports included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _parts() -> dict[str, float]:
    """Milliseconds of CPU time of a decision: the expert's plan, its certificate, the label, the check."""
    from waytrace.label import setting
    from waytrace.planners import Expert
    from waytrace.scenario.roads import RoadCache
    from waytrace.sim import World

    spent = dict.fromkeys(("observe", "decide", "certify", "label", "second_look", "runner_up", "check", "step"), 0.0)
    count = 0
    for family in families("train"):
        world, planner, state, roads = World([generate(family, 0)]), Expert(), None, RoadCache()
        asker = Asker()
        planner.reset([family])
        for _ in range(10):
            marks = [time.process_time()]
            observation = world.observe()
            observation.scenes[0]
            marks.append(time.process_time())
            carried = state
            plan, _, state = planner.plan(observation, state)
            marks.append(time.process_time())
            made, forecast = planner.certificates[0], planner.forecasts[0]
            marks.append(time.process_time())
            from_certificate(made, setting(observation, 0, forecast, roads))
            marks.append(time.process_time())
            from_certificate(made, setting(observation, 0, forecast, roads), asker=asker, state=carried)
            marks.append(time.process_time())
            at = setting(observation, 0, forecast, roads)
            label, _ = from_certificate(made, at, runner_up=True, asker=asker, state=carried)
            marks.append(time.process_time())
            check(label.trace, at.scene, label.plan)
            marks.append(time.process_time())
            world.step_plans(plan)
            marks.append(time.process_time())
            for name, seconds in zip(spent, np.diff(marks), strict=True):
                spent[name] += float(seconds)
            count += 1
    spent["runner_up"] -= spent["second_look"]
    spent["second_look"] -= spent["label"]
    return {f"{name}_ms": 1e3 * seconds / count for name, seconds in spent.items()}


def _calibrate(arguments: argparse.Namespace) -> int:
    """The share of each intent that comes true, on seeds apart from those of the page."""
    found: list[Outcome] = []
    names = families("train")
    for k in range(arguments.scenes):
        moment = _moment(names[k % len(names)], 50_000 + k // len(names), Tally())
        if moment is not None:
            found += outcomes(moment)
    print(json.dumps(frequencies(found)))
    return 0


def _figures(whole: Tally) -> dict[str, Any]:
    c = whole.counts
    judged = {rule: [whole.rules[rule, v] for v in ("true", "false", "undetermined")] for rule, _ in whole.rules}
    worst = max(((n[2] / sum(n), rule) for rule, n in judged.items() if sum(n) >= OFTEN), default=(0.0, ""))
    return {
        "scenes": c["scenes"], "decisions": c["decisions"], "valid": whole.share("valid", "decisions"),
        "true": whole.share("claims_true", "claims"), "false": whole.share("claims_false", "claims"),
        "undetermined": whole.share("claims_undetermined", "claims"), "worst_rule": worst[1],
        "worst_rule_undetermined": worst[0], "omissions": whole.share("omissions", "omissions_asked"),
        "tested": c["tested"], "rejected": whole.share("rejected", "tested"),
        "rejected_first": whole.share("rejected_first", "tested"),
        "uncited_moving": whole.share("uncited_moving", "uncited"), "truncated": whole.share("truncated", "decisions"),
    }  # fmt: skip


def _page(
    tallies: dict[str, Tally], whole: Tally, bins: list[tuple[float, float, int]], brier: float, count: int,
    speed: dict[str, float], arguments: argparse.Namespace,
) -> str:  # fmt: skip
    f = _figures(whole)
    bars = [
        ["valid by the grammar", percent(f["valid"]), "100 %"],
        ["claims about the present that are true", _fine(f["true"]), ">= 97 %"],
        ["undetermined", _fine(f["undetermined"]), "<= 5 %"],
        [f"undetermined, worst rule (`{f['worst_rule']}`)", percent(f["worst_rule_undetermined"]), "<= 15 %"],
        ["omissions (the check's rule)", _fine(f["omissions"]), "<= 3 %"],
        [f"rejected by re-simulation ({f['tested']} labels)", _fine(f["rejected"]), "<= 10 %"],
        ["the same labels as the certificate alone gives them, no second look", _fine(f["rejected_first"]), "-"],
        [
            "labelled decisions in a second of two cores (CPU time of two workers, their start included)",
            f"{speed['decisions_per_two_cpu_s']:.0f}",
            ">= 50",
        ],
        [
            f"the same by the clock, on a machine with a load of {speed['load']:.1f} on {speed['cores']:.0f} cores",
            f"{speed['decisions_per_s']:.0f}",
            ">= 50 on a quiet one",
        ],
    ]
    parts = [
        "# How good labels are\n",
        f"Made by `python benchmarks/label_quality.py --scenes {arguments.scenes}`; not edited by hand. "
        f"Waytrace {waytrace.__version__}, {date.today().isoformat()}, {int(speed['cores'])} cores.\n",
        f"{f['decisions']} decisions of the expert, one from each scene of split train (seeds from {arguments.seed} "
        f"on) at a moment within its first {MOMENTS / 2:.0f} s drawn from the seed. One scene of a family in "
        f"{arguments.verify_every} is re-simulated, one in {arguments.forecast_every} driven on to see what came of "
        "the forecasts. "
        "Checker and labeller share their geometry and their author: that they agree says that the labels are "
        "consistent, not that they are right. The re-simulation is the harder test. The second look that the labeller "
        "takes asks the same expert, so the share that is rejected *without* it is printed too: it says how far a "
        "certificate alone can be trusted.\n",
        markdown(["figure", "measured", "bar"], bars) + "\n",
        f"Of the {whole.counts['uncited']} agents among the {REMOVED} nearest that a re-simulated label does not "
        f"cite, {_fine(f['uncited_moving'])} move the plan when they are taken away. {_fine(f['truncated'])} of "
        "decisions had to give way to a free one because the arrays do not hold their cause.\n",
        "## By family\n", _families(tallies) + "\n",
        "## Where re-simulation disagrees\n", _claims(whole) + "\n",
        "## Rules with most claims that are not true\n", _rules(whole) + "\n",
        "## Forecasts\n",
        f"{count} predictions; Brier score {brier:.3f}. The picture shows the stated probability against the share "
        "that came true; the area of a dot says how many.\n",
        f"![Reliability of forecasts](pictures/{arguments.picture.name})\n",
        markdown(["stated", "came true", "forecasts"], [[f"{p:.2f}", f"{t:.2f}", str(n)] for p, t, n in bins]) + "\n",
        "## Where the time goes\n",
        markdown(["part of a decision", "ms of CPU time"],
                 [[name.removesuffix("_ms").replace("_", " "), f"{v:.2f}"] for name, v in speed.items()
                  if name.endswith("_ms")]) + "\n",
        "`decide` is the expert's own decision and `certify` the writing of its certificate; both come with the "
        "drive. `label` is the scene's measurement and the trace, `second look` what asking the expert again adds to "
        "it, `runner up` what another decision with its trace adds; `check` is not part of labelling.\n",
    ]  # fmt: skip
    return "\n".join(parts).rstrip() + "\n"


def _fine(value: float | None) -> str:
    return "-" if value is None else f"{100.0 * value:.2f} %"


def _families(tallies: dict[str, Tally]) -> str:
    columns = ["family", "decisions", "valid", "true", "undetermined", "omissions", "rejected", "of"]
    rows = [
        [
            family, str(t.counts["decisions"]), percent(t.share("valid", "decisions")),
            _fine(t.share("claims_true", "claims")), _fine(t.share("claims_undetermined", "claims")),
            _fine(t.share("omissions", "omissions_asked")), percent(t.share("rejected", "tested")),
            str(t.counts["tested"]),
        ]
        for family, t in tallies.items()
    ]  # fmt: skip
    return markdown(columns, rows)


def _claims(whole: Tally) -> str:
    about = {
        "necessary": "a proximate or joint cause alone changes the plan",
        "together": "an overdetermining set does",
        "enabling": "an enabling cause opens an option",
        "sufficient": "what is cited, and nobody else, gives the same plan",
    }
    rows = [
        [text, str(whole.counts[f"tests_{name}"]), _fine(whole.share(f"failed_{name}", f"tests_{name}"))]
        for name, text in about.items()
    ]
    return markdown(["test", "made", "failed"], rows)


def _rules(whole: Tally) -> str:
    rows = []
    for rule in {r for r, _ in whole.rules}:
        true, false, unsure = (whole.rules[rule, v] for v in ("true", "false", "undetermined"))
        rows.append((false + unsure, [f"`{rule}`", str(true + false + unsure), str(false), str(unsure)]))
    rows.sort(key=lambda row: -row[0])
    return markdown(["rule", "claims", "false", "undetermined"], [row for _, row in rows[:15]])


if __name__ == "__main__":
    sys.exit(main())
