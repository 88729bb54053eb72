"""Planners on a frozen suite, family by family: evaluates, writes ``docs/suite-results.md``.

    python benchmarks/suite_results.py [--suite pr] [--planners constant-velocity idm expert shipped] [--page FILE]

The last line of standard output is one JSON object with the figures. Repeating the command continues where it was
interrupted. A held-out suite needs ``--reason``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import waytrace
from explain import LOW, explanation, low_rows
from waytrace.cli.tables import interval_text, markdown, number, percent
from waytrace.evaluate import Result, Suite, evaluate, load_suite

PLANNERS = ("constant-velocity", "idm", "expert", "shipped")
LISTED = 80


def main() -> int:
    arguments = _arguments()
    suite = load_suite(arguments.suite)
    results: dict[str, Result] = {}
    seconds: dict[str, float] = {}
    for name in arguments.planners:
        out = arguments.work / suite.name / name.replace(":", "-")
        began, fresh = time.monotonic(), not (out / "run.json").exists() or arguments.overwrite
        results[name] = evaluate(
            name, suite, drives=arguments.scenarios, out=out, workers=arguments.workers, reason=arguments.reason,
            overwrite=arguments.overwrite,
            progress=lambda done, count, _: print(f"\r{done}/{count}", end="", file=sys.stderr, flush=True),
        )  # fmt: skip
        if fresh:
            seconds[name] = time.monotonic() - began
        print(f"\r{name}: {interval_text(results[name].meta)}", file=sys.stderr)
    arguments.page.write_text(_page(suite, results, seconds, arguments))
    print(json.dumps({name: _figures(result) | {"seconds": seconds.get(name)} for name, result in results.items()}))
    return 1 if any(result.errors for result in results.values()) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="pr")
    parser.add_argument("--planners", nargs="+", default=list(PLANNERS))
    parser.add_argument("--scenarios", type=Path, help="store with the recorded drives of a suite that has them")
    parser.add_argument("--reason", default="", help="what a held-out suite is opened for")
    parser.add_argument("--work", type=Path, default=Path("out/suites"), help="folder for results")
    parser.add_argument("--page", type=Path, default=Path("docs/suite-results.md"))
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--overwrite", action="store_true", help="evaluate afresh after the code has changed")
    return parser.parse_args()


def _figures(result: Result) -> dict[str, Any]:
    meta = result.meta
    return {
        "score": meta["score"],
        "score_interval": meta["score_interval"],
        "unfiltered": meta["unfiltered"]["score"],
        "oracle_score": meta["oracle_score"],
        "admitted": meta["admitted"],
        "at_fault_preventable_rate": meta["at_fault_preventable_rate"],
        "result_hash": meta["result_hash"],
        "errors": len(result.errors),
        "families": {name: group["score"] for name, group in meta["families"].items()},
    }


def _page(suite: Suite, results: dict[str, Result], seconds: dict[str, float], arguments: argparse.Namespace) -> str:
    cores = os.cpu_count()
    took = ", ".join(f"{name} {s:.0f} s" for name, s in seconds.items())
    parts = [
        f"# Planners on suite `{suite.name}`\n",
        f"Made by `python benchmarks/suite_results.py --suite {suite.name}`; not edited by hand. Waytrace "
        f"{waytrace.__version__}, {date.today().isoformat()}, {cores} cores, {arguments.workers} workers"
        + (f" ({took})" if took else "") + ".\n",
        f"Suite `{suite.name}`: {suite.about}; {len(suite.scenes)} scenes, hash `{suite.sha256[:16]}`, traffic "
        f"`{suite.traffic}`, seed {suite.seed}. Means are over the scenes that the oracle admits; the oracle's "
        "column is the mean score of its own drives. It knows the traffic: a yardstick, no competitor.\n",
        "## All scenes\n",
        _overview(results) + "\n",
        "## By family\n",
        _families(suite, results) + "\n",
        f"*At fault* is the share of drives of {list(results)[-1]} with a collision it is at fault for, among scenes "
        "in which an accident can be prevented.\n",
        "## Not admitted\n",
        _refused(suite),
    ]  # fmt: skip
    last = list(results)[-1]
    parts += [f"## Where {last} scores below {LOW}\n", _low(results[last])]
    return "\n".join(parts).rstrip() + "\n"


def _overview(results: dict[str, Result]) -> str:
    columns = [
        "planner", "score [95 %]", "of the oracle's", "unfiltered", "at fault", "at fault, preventable", "off road",
        "failed", "result hash",
    ]  # fmt: skip
    rows = []
    for name, result in results.items():
        meta = result.meta
        rows.append(
            [
                name, interval_text(meta), number(meta["score"] / meta["oracle_score"], 3),
                interval_text(meta["unfiltered"]), percent(meta["at_fault_collision_rate"]),
                percent(meta["at_fault_preventable_rate"]), percent(meta["off_road_rate"]), str(len(result.errors)),
                f"`{meta['result_hash'][:16]}`",
            ]
        )  # fmt: skip
    return markdown(columns, rows)


def _families(suite: Suite, results: dict[str, Result]) -> str:
    last = list(results)[-1]
    columns = ["family", "scenes", "admitted", "preventable, of those admitted", "oracle", *results, "at fault"]
    rows = []
    for family in dict.fromkeys(scene.id.split("/")[0] for scene in suite.scenes):
        scenes = [scene for scene in suite.scenes if scene.id.split("/")[0] == family]
        tagged = [scene.admitted for scene in scenes if scene.preventable]
        groups = {name: _group(result, family) for name, result in results.items()}
        rows.append(
            [
                family, str(len(scenes)), percent(sum(s.admitted for s in scenes) / len(scenes)),
                percent(sum(tagged) / len(tagged)) if tagged else "-", number(groups[last].get("oracle_score"), 2),
                *(number(group.get("score"), 2) for group in groups.values()),
                percent(groups[last].get("at_fault_preventable_rate")),
            ]
        )  # fmt: skip
    return markdown(columns, rows)


def _group(result: Result, family: str) -> dict[str, Any]:
    """A family's figures; a source's where the suite is of recorded drives."""
    found: dict[str, Any] = result.meta["families"].get(family) or result.meta["sources"].get(family) or {}
    return found


def _refused(suite: Suite) -> str:
    lines = [
        f"- `{scene.key}`: the oracle comes {scene.progress_m:.0f} m far"
        + ("; a driver model calls it preventable" if scene.preventable else "")
        for scene in suite.scenes
        if not scene.admitted
    ]
    return "\n".join(lines or ["Nothing: the oracle drives every scene."]) + "\n"


def _low(result: Result) -> str:
    rows = low_rows([row for row in result.meta["scenarios"] if row["oracle"]["clean"]])
    lines = [f"- `{e['id']}`: no result, {e['message']}" for e in result.errors] + [explanation(row) for row in rows]
    more = [f"- ... and {len(lines) - LISTED} more"] if len(lines) > LISTED else []
    return "\n".join(lines[:LISTED] + more or ["Nowhere."]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
