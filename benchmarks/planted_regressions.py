"""Planted regressions: does the gate that should catch each catch it? Writes ``docs/planted-regressions.md``.

    python benchmarks/planted_regressions.py [--suite pr] [--limit N] [--planners NAME ...] [--page FILE] [--again]

The baseline is the expert with traces. Evaluations are kept in ``--work``: repeating the command goes on. The last line
of standard output is one JSON object. Ends with 1 where one goes uncaught, or where the expert itself falls.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from waytrace import __version__
from waytrace.cli.tables import markdown
from waytrace.evaluate import Result, evaluate, load_result, load_suite
from waytrace.evaluate.gate import Decision, Policy, Verdict, gate


@dataclass(frozen=True)
class Planted:
    """A regression: what is wrong, and which gate is there for it."""

    name: str
    what: str
    gate: str


PLANTED = (
    Planted("BrakesLate", "brakes late", "G4"),
    Planted("IgnoresLights", "takes every light for green", "G3"),
    Planted("Drifts", "pulls to the left", "G4"),
    Planted("Slower", "keeps to 6 m/s", "G4"),
    Planted("Speeds", "drives too fast", "G4"),
    Planted("Jerky", "brakes and accelerates in turn", "G4"),
    Planted("CitesNearest", "cites the nearest agent, whatever the reason", "G5"),
    Planted("Crashes", "raises in one scene in ten", "G0"),
    Planted("Forgets", "never drives twice the same", "G1"),
    Planted("ThinksLong", "takes twice the time", "G6"),
)


def main() -> int:
    arguments = _arguments()
    sys.path.insert(0, str(Path(__file__).parent))
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    wanted = [p for p in PLANTED if p.name in (arguments.planners or [q.name for q in PLANTED])]
    base, again = (_driven("expert", folder, arguments, traces=True) for folder in ("expert", "expert-again"))
    policy = Policy(partial=arguments.limit is not None)
    decisions = {"expert": gate(again, base, policy=policy, again=base)}
    for planted in wanted:
        spec, traces = f"planted_planners:{planted.name}", planted.gate == "G5"
        found = _driven(spec, planted.name, arguments, traces=traces)
        second = _driven(spec, f"{planted.name}-again", arguments, traces=traces) if planted.gate == "G1" else None
        decisions[planted.name] = gate(found, base, policy=policy, again=second)
        print(f"{planted.name}: {decisions[planted.name].verdict}, {_fell(decisions[planted.name])}", file=sys.stderr)
    record = {name: _record(decision) for name, decision in decisions.items()}
    missed = [p.name for p in wanted if p.gate not in record[p.name]["fell"]]
    if arguments.page:
        arguments.page.write_text(_page(wanted, decisions, arguments))
    print(json.dumps({"planted": record, "missed": missed}))
    return 1 if missed or record["expert"]["fell"] else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="pr")
    parser.add_argument("--limit", type=int, help="only the first so many scenes, while developing")
    parser.add_argument("--planners", nargs="+", choices=[p.name for p in PLANTED])
    parser.add_argument("--work", type=Path, default=Path("out/planted-regressions"))
    parser.add_argument("--page", type=Path)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--again", action="store_true", help="only judge anew what is kept in --work, and drive nothing"
    )
    return parser.parse_args()


def _driven(planner: str, folder: str, arguments: argparse.Namespace, *, traces: bool) -> Result:
    out = arguments.work / arguments.suite / folder
    if arguments.again:
        return load_result(out)
    print(f"{folder} ...", file=sys.stderr, flush=True)
    return evaluate(
        planner, load_suite(arguments.suite), out=out, traces=traces, workers=arguments.workers, limit=arguments.limit,
    )  # fmt: skip


def _fell(decision: Decision) -> list[str]:
    return [o.gate for o in decision.outcomes if o.state in (Verdict.REGRESSED, "failed")]


def _record(decision: Decision) -> dict[str, Any]:
    return {"verdict": str(decision.verdict), "fell": _fell(decision), "difference": decision.scores["difference"]}


def _page(wanted: list[Planted], decisions: dict[str, Decision], arguments: argparse.Namespace) -> str:
    rows = []
    for planted in wanted:
        decision = decisions[planted.name]
        fell = _fell(decision)
        rows.append(
            [planted.what, planted.gate, "yes" if planted.gate in fell else "NO", str(decision.verdict),
             ", ".join(fell) or "-", f"{decision.scores['difference']:+.4f}"]
        )  # fmt: skip
    itself = decisions["expert"]
    scenes = len(itself.pairs.ids)
    return "\n".join(
        [
            "# Planted regressions\n",
            f"Made by `python benchmarks/planted_regressions.py --suite {arguments.suite}`; not edited by hand. "
            f"Waytrace {__version__}, {date.today()}, {os.cpu_count()} cores. "
            f"{scenes} scenes of suite `{arguments.suite}`.\n",
            "The expert with one thing made worse each ([planted_planners.py](../benchmarks/planted_planners.py)), "
            "judged beside the expert with the default policy ([gates.md](gates.md)). The one that never drives twice "
            "the same has a second run for G1. The one that cites the nearest agent writes its traces while it is "
            "timed, the expert's are made afterwards; so it is slower too, and G6 falls.\n",
            markdown(["what is wrong", "gate for it", "caught", "verdict", "gates that fell", "score"], rows),
            f"\nThe expert beside itself: {itself.verdict}, gates that fell: {', '.join(_fell(itself)) or 'none'}; "
            f"smallest detectable effect {itself.scores['detectable_effect']:.4f}.\n",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
