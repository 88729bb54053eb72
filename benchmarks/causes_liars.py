"""The causal metric's own test, alone and on many scenes: does every planted liar stand where it belongs?

    python benchmarks/causes_liars.py [--scenes 1800] [--page docs/causes-liars.md]

Writes ``docs/causes-liars.md``. Nobody is audited but the expert and the liars that drive as it does, which takes a
third of the time of ``causes_figures.py``; scenes are of split select, on seeds that nothing else uses. The last line
of standard output is one JSON object. Ends with 1 where the honest expert is not above every liar. Ctrl-C ends early
and writes the page of what was tried.
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
from waytrace.catalogue import generate_many
from waytrace.cli.causes_page import COLUMNS, VOICES, order, rows, soundness
from waytrace.cli.tables import markdown
from waytrace.evaluate.causes import RECORDS, Found, read_records, summary, write_result
from waytrace.evaluate.causes.audited import Audit
from waytrace.evaluate.causes.moment import Audited
from waytrace.evaluate.causes.shared import shared
from waytrace.label import Asker
from waytrace.planners import Expert
from waytrace.scenario.roads import RoadCache

SPLIT, FIRST_SEED = "select", 80_000
MOMENTS = 2
OTHERS = ("planner", "planner-random")
"""Voices that say the same as the honest expert and the random liar here."""


class Liars(Audit):
    """The audit of nobody: the expert stands for the planner, and no plan is made first."""

    def ready(self) -> None:
        """The expert."""
        self.who, self.asker, self.roads = Audited(Expert()), Asker(), RoadCache()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=1800)
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="first seed of split select")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=Path("out/causes-liars"))
    parser.add_argument("--page", type=Path, default=Path("docs/causes-liars.md"))
    parser.add_argument("--again", action="store_true", help="only write the page anew, from the records in --out")
    arguments = parser.parse_args()
    if arguments.seed < 10_000:
        parser.error("seeds below 10000 are those of suites and of sample stores; give one from 10000 on")
    found = read_records(arguments.out) if arguments.again else _tried(arguments)
    if not found.records:
        print("causes_liars: no moment could be tried", file=sys.stderr)
        return 2
    record = summary(found, {"planner": "expert", "split": SPLIT, "first_seed": arguments.seed, "moments": MOMENTS})
    write_result(arguments.out, record, found)
    arguments.page.write_text(_page(record, arguments))
    voices = record["at"]["delta"]["voices"]
    print(json.dumps({
        "scenes": record["scenes"], "moments": record["moments"], "sound": record["sound"],
        "order_shown": record["order_shown"], "order": record["at"]["delta"]["order"],
        "faithfulness": {name: voice["faithfulness"] for name, voice in voices.items() if name not in OTHERS},
    }))  # fmt: skip
    return 0 if record["sound"] else 1


def _tried(arguments: argparse.Namespace) -> Found:
    began, found = time.monotonic(), Found(keep=arguments.out / RECORDS)
    scenes = generate_many(arguments.scenes, split=SPLIT, seed=arguments.seed)
    try:
        audit = Liars("expert", MOMENTS, "mixed", 0)
        for _, records, _ in shared(audit, ((s, False) for s in scenes), arguments.workers):
            found.add(records, None)
            if found.scenes % 10 == 0:
                spent = time.monotonic() - began
                print(f"\r{found.scenes}/{arguments.scenes}, {spent:.0f} s", end="", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("\ninterrupted: the page is about what was tried until now", file=sys.stderr)
    return found


def _page(record: dict[str, Any], arguments: argparse.Namespace) -> str:
    table = [[VOICES[row[0]], *row[1:]] for row in rows(record) if row[0] not in OTHERS]
    parts = [
        "# Planted liars: the causal metric's own test\n",
        f"Made by `python benchmarks/causes_liars.py --scenes {arguments.scenes}`; not edited by hand. Waytrace "
        f"{waytrace.__version__}, {date.today().isoformat()}, {os.cpu_count()} cores.\n",
        f"{record['moments']} moments of {record['scenes']} scenes of split {SPLIT} (seeds from {arguments.seed} on), "
        f"of {record['layouts']} layouts. All drive as the expert does. [What each of them says, and what "
        "the figures are](causes.md#planted-liars). Intervals: 95 %, whole layouts drawn with replacement within each "
        "family.\n",
        markdown(["", *COLUMNS[1:]], table) + "\n",
        soundness(record) + "\n",
    ]
    for name, at in record["at"].items():
        what = "delta, how far plans move for nothing" if name == "delta" else name
        parts += [f"## A plan has moved beyond {what}\n", order(at["order"]) + "\n"]
    return "\n".join(parts).rstrip() + "\n"


if __name__ == "__main__":
    sys.exit(main())
