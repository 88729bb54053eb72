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
from pathlib import Path

from figure_scenes import DECISIONS, command, each, options, parsed
from quality_counting import Counting
from quality_page import figures, page, pictures
from waytrace.microgpt.planner import loaded
from waytrace.scenario import Scenario, WaytraceError


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options(parser, "docs/trace-quality.md")
    parser.add_argument("--pictures", type=Path, default=Path("docs/pictures"))
    arguments = parsed(parser)
    try:
        model, digest = loaded(str(arguments.checkpoint))
    except WaytraceError as error:
        print(f"trace_quality: {error}", file=sys.stderr)
        return 2
    counting, looked = Counting(model), list[int]()

    def look(scenario: Scenario, family: str, at: list[int]) -> None:
        counting.ledger.place(scenario.id, family)
        looked.append(counting.scene(scenario, at))

    done = each(arguments, look)
    about = {
        "command": command("trace_quality", arguments),
        "digest": digest[:16], "asked": arguments.scenes, "scenes": done, "moments": sum(looked),
        "seed": arguments.seed, "decisions": DECISIONS,
    }  # fmt: skip
    for name, picture in pictures(counting.odds).items():
        (arguments.pictures / name).write_text(picture)
    arguments.page.write_text(page(counting.ledger, counting.odds, about))
    found = figures(counting.ledger, counting.odds)
    print(json.dumps(found | {"scenes": done, "moments": sum(looked), "checkpoint": digest[:16]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
