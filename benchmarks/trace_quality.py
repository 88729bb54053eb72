"""Causes, calibration and stability of a trained planner's traces: writes ``docs/trace-quality.md``.

    python benchmarks/trace_quality.py CHECKPOINT [--scenes 360] [--page docs/trace-quality.md]

Scenes and moments are those of ``benchmarks/trace_figures.py``: the expert drives scenes of split select on seeds that
no suite and no sample store uses, the planner is asked at every decision without driving. Then the planner drives the
same scenes itself. The last line of standard output is one JSON object with the figures. Ctrl-C ends the counting early
and writes the page.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from quality_counting import Counting
from quality_page import figures, page, pictures
from trace_figures import DECISIONS, FIRST_SEED, SPLIT, ticks
from waytrace.catalogue import families, generate
from waytrace.microgpt.planner import loaded
from waytrace.scenario import WaytraceError


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help="folder of a checkpoint, or the name `shipped`")
    parser.add_argument("--scenes", type=int, default=360)
    parser.add_argument("--moments", type=int, default=3, help="decisions that are looked at closely in each scene")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="first seed of split select")
    parser.add_argument("--page", type=Path, default=Path("docs/trace-quality.md"))
    parser.add_argument("--pictures", type=Path, default=Path("docs/pictures"))
    arguments = parser.parse_args()
    if arguments.seed < 10_000:
        parser.error("seeds below 10000 are those of suites and of sample stores; give one from 10000 on")
    try:
        model, digest = loaded(str(arguments.checkpoint))
    except WaytraceError as error:
        print(f"trace_quality: {error}", file=sys.stderr)
        return 2
    began, counting = time.monotonic(), Counting(model)
    names, done, looked = families(SPLIT), 0, 0
    try:
        for k in range(arguments.scenes):
            family, seed = names[k % len(names)], arguments.seed + k // len(names)
            scenario = generate(family, seed, split=SPLIT)
            counting.ledger.place(scenario.id, family)
            looked += counting.scene(scenario, ticks(family, seed, arguments.moments))
            done = k + 1
            if done % 10 == 0:
                print(f"\r{done}/{arguments.scenes}, {time.monotonic() - began:.0f} s", end="", file=sys.stderr)
    except KeyboardInterrupt:
        print("\ninterrupted: the page is about what was counted until now", file=sys.stderr)
    about = {
        "command": f"python benchmarks/trace_quality.py {arguments.checkpoint.name} --scenes {arguments.scenes}"
        + (f" --moments {arguments.moments}" if arguments.moments != 3 else ""),
        "digest": digest[:16], "asked": arguments.scenes, "scenes": done, "moments": looked, "seed": arguments.seed,
        "decisions": DECISIONS,
    }  # fmt: skip
    for name, picture in pictures(counting.odds).items():
        (arguments.pictures / name).write_text(picture)
    arguments.page.write_text(page(counting.ledger, counting.odds, about))
    found = figures(counting.ledger, counting.odds)
    print(json.dumps(found | {"scenes": done, "moments": looked, "checkpoint": digest[:16]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
