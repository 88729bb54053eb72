"""How long reading a recorded drive takes: XML alone, and all the way to scenarios.

    python benchmarks/parsing.py [FILE_OR_FOLDER] [--repeats N]

Takes the largest CommonRoad file under the path (default: the recorded drives beside the project, or
``WAYTRACE_DRIVES``) and reads it at least five times on one core. The bar is 200 ms for a file of 2.5 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from waytrace.formats import find_sources, read
from waytrace.formats.commonroad_xml import parse
from waytrace.formats.untrusted import MAX_FILE_BYTES

BAR_MS = 200.0
BAR_BYTES = 2_500_000


def timed(work: Callable[[], object], repeats: int) -> dict[str, float]:
    """Wall and processor time of ``repeats`` runs in ms, after one that warms caches."""
    work()
    wall, processor = [], []
    for _ in range(repeats):
        began, spent = time.perf_counter(), time.process_time()
        work()
        wall.append(1e3 * (time.perf_counter() - began))
        processor.append(1e3 * (time.process_time() - spent))
    return {
        "median_ms": round(statistics.median(wall), 1),
        "min_ms": round(min(wall), 1),
        "max_ms": round(max(wall), 1),
        "processor_median_ms": round(statistics.median(processor), 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    default = Path(os.environ.get("WAYTRACE_DRIVES", Path(__file__).parents[2] / "shared" / "data"))
    parser.add_argument("path", type=Path, nargs="?", default=default)
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    if not arguments.path.exists():
        print(f"{arguments.path}: no drives there; name a CommonRoad file or set WAYTRACE_DRIVES", file=sys.stderr)
        return 2
    sources = [s for s in find_sources([arguments.path]).sources if s.reader == "commonroad"]
    if not sources:
        print(f"{arguments.path}: holds no CommonRoad file", file=sys.stderr)
        return 2
    source = max(sources, key=lambda s: s.path.stat().st_size)
    size, repeats = source.path.stat().st_size, max(5, arguments.repeats)
    xml = timed(lambda: parse(source.path, MAX_FILE_BYTES), repeats)
    whole = timed(lambda: read(source), repeats)
    per_bar = whole["median_ms"] * BAR_BYTES / size
    print(f"{source.path.name}, {size / 1e6:.2f} MB, {repeats} repeats after a first")
    for name, figures in (("XML tree", xml), ("to scenario", whole)):
        low, middle, high = figures["min_ms"], figures["median_ms"], figures["max_ms"]
        spent = figures["processor_median_ms"]
        print(f"  {name:12s} median {middle:6.1f} ms  ({low:.1f} to {high:.1f}), on the processor {spent:.1f} ms")
    print(f"  at 2.5 MB    {per_bar:6.1f} ms, bar {BAR_MS:.0f} ms")
    result = {
        "benchmark": "parsing",
        "file": source.path.name,
        "bytes": size,
        "repeats": repeats,
        "load": round(os.getloadavg()[0], 2),
        "xml": xml,
        "scenario": whole,
        "scenario_ms_at_2_5_mb": round(per_bar, 1),
        "ratio_to_bar": round(per_bar / BAR_MS, 3),
    }
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
