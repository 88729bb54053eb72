"""What moves a planner, and do its words say so: writes ``docs/causes-figures.md``.

    python benchmarks/causes_figures.py PLANNER [--scenes 540] [--page docs/causes-figures.md]

The audit of ``waytrace causes`` on scenes of split select, families in turn, on seeds that no suite and no sample
store uses. The last line of standard output is one JSON object with the figures. Ctrl-C ends early and writes the
page of what was tried.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from waytrace.catalogue import generate_many
from waytrace.cli.causes_page import page
from waytrace.evaluate.causes import RECORDS, Found, audit_planner, read_records, summary, write_result
from waytrace.evaluate.load import planner_label, planner_name
from waytrace.scenario import WaytraceError

SPLIT = "select"
FIRST_SEED = 70_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("planner", help="as of `waytrace eval`")
    parser.add_argument("--scenes", type=int, default=540)
    parser.add_argument("--moments", type=int, default=2, help="decisions that are looked at in each scene")
    parser.add_argument("--closed", type=int, default=60, help="scenes that are also driven in closed loop")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="first seed of split select")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=Path("out/causes"))
    parser.add_argument("--page", type=Path, default=Path("docs/causes-figures.md"))
    parser.add_argument("--again", action="store_true", help="only write the page anew, from the records in --out")
    arguments = parser.parse_args()
    if arguments.seed < 10_000:
        parser.error("seeds below 10000 are those of suites and of sample stores; give one from 10000 on")
    began, found = time.monotonic(), Found(keep=arguments.out / RECORDS)

    def progress(done: int, last: str) -> None:
        if done % 10 == 0:
            print(f"\r{done}/{arguments.scenes}, {time.monotonic() - began:.0f} s", end="", file=sys.stderr)

    try:
        if arguments.again:
            found = read_records(arguments.out)
        else:
            audit_planner(
                arguments.planner, generate_many(arguments.scenes, split=SPLIT, seed=arguments.seed),
                moments=arguments.moments, closed=arguments.closed, workers=arguments.workers, found=found,
                progress=progress,
            )  # fmt: skip
    except KeyboardInterrupt:
        print("\ninterrupted: the page is about what was tried until now", file=sys.stderr)
    except WaytraceError as error:
        print(f"causes_figures: {error}", file=sys.stderr)
        return 2
    if not found.records:
        print("causes_figures: no moment could be tried", file=sys.stderr)
        return 2
    about = {
        "planner": planner_name(arguments.planner), "label": planner_label(arguments.planner), "suite": None,
        "traffic": "mixed", "seed": 0, "moments_a_scene": arguments.moments, "split": SPLIT,
        "first_seed": arguments.seed,
    }  # fmt: skip
    record = summary(found, about)
    write_result(arguments.out, record, found)
    command = f"python benchmarks/causes_figures.py {about['label']} --scenes {arguments.scenes}"
    arguments.page.write_text(page(record, command))
    figures = {name: voice["faithfulness"] for name, voice in record["at"]["delta"]["voices"].items()}
    print(json.dumps({**about, "faithfulness": figures, "sound": record["sound"],
                      "order_shown": record["order_shown"], "null": record["null"]}))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
