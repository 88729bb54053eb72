"""How long ``waytrace gate`` takes on 3,000 rows a side: the whole command, from its start to its exit code.

    python benchmarks/gating.py [--rows 3000] [--repeats 5]

Both results are made up scene by scene (20 families of 50 layouts; one scene in ten scores otherwise, some with an
at-fault collision; latencies and trace figures in every row) and written as result folders; the gate reads, checks and
judges them as it does real ones. The bar is 10 s. The last line of standard output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from waytrace.evaluate import aggregate
from waytrace.score import total

BAR_S = 10.0
FAMILIES, LAYOUTS = 20, 50
CHANGED_SHARE, COLLISION_SHARE = 0.1, 0.02


def rows_of(count: int, seed: int, changed: np.random.Generator | None) -> list[dict[str, Any]]:
    """``count`` rows; with ``changed`` some of them are drawn anew, as another planner's would be."""
    rows = []
    for k in range(count):
        rng = np.random.default_rng([seed, k])
        if changed is not None and changed.random() < CHANGED_SHARE:
            rng = changed
        collides = bool(rng.random() < COLLISION_SHARE)
        ep, sl = (float(v) for v in rng.beta(20.0, 1.0, 2))
        terms = {
            "NC": 0.0 if collides else 1.0, "DAC": 1.0, "MP": 1.0, "DDC": 1.0, "EP": ep,
            "TTC": float(not collides and rng.random() < 0.95), "SL": sl, "C": float(rng.random() < 0.9),
        }  # fmt: skip
        event = {"row": 40, "time_s": 4.0, "kind": "front", "at_fault": True, "agent_id": "7", "cause": "It struck 7."}
        family, layout = f"family-{k % FAMILIES:02d}", f"layout-{(k // FAMILIES) % LAYOUTS:02d}"
        rows.append({
            "id": f"{family}/select/{k:06d}@1", "source": "catalogue", "family": family,
            "cluster": f"{family}/{layout}", "layout": f"{family}/{layout}", "score": total(terms), "terms": terms,
            "applied": list(terms), "figures": {"at_fault": float(collides), "red_light": 0.0, "min_ttc_s": 2.5},
            "events": [event] if collides else [],
            "oracle": {"clean": True, "preventable": True, "progress_m": 90.0, "score": 1.0, "proposal": "frozen"},
            "end": "horizon", "seconds": 0.5, "digest": f"{rng.integers(1 << 62):064x}",
            "latency": {"decisions": 40, "median_ms": 3.0, "most_ms": 9.0, "reference_ms": 1.0},
            "trace": {
                "decisions": 40, "true": 240, "false": int(rng.integers(8)), "undetermined": 20, "plan_true": 115,
                "plan_false": int(rng.integers(6)),
            },
        })  # fmt: skip
    return rows


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    """A result folder as an evaluation on a suite leaves it, as far as the gate reads it."""
    folder.mkdir(parents=True)
    record = {
        "schema": "waytrace.result/1", "planner": name, "label": name, "suite": "made-up", "suite_hash": "5" * 64,
        "suite_scenes": len(rows), "store": "", "store_hash": "6" * 64, "traffic": "mixed", "style": "normal",
        "seed": 0, "replan_ticks": 5, "admitted_only": True, "code": "7" * 64, "environment": {"hash": "8" * 64},
        "result_hash": f"{name:0<64}", "errors": [], "scenarios": rows, "asked": len(rows),
        **aggregate(rows, admitted_only=True),
    }  # fmt: skip
    (folder / "result.json").write_text(json.dumps(record))
    return folder


def timed(command: list[str]) -> tuple[float, float, dict[str, Any]]:
    """(wall seconds, processor seconds, the command's JSON line)."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        raise SystemExit(f"the gate ended with {done.returncode}: {done.stderr}")
    processor = after.ru_utime + after.ru_stime - spent.ru_utime - spent.ru_stime
    return wall, processor, json.loads(done.stdout.splitlines()[-1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        baseline = write(Path(folder, "baseline"), "baseline", rows_of(arguments.rows, 0, None))
        changed = rows_of(arguments.rows, 0, np.random.default_rng(1))
        candidate = write(Path(folder, "candidate"), "candidate", changed)
        command = [sys.executable, "-m", "waytrace", "gate", str(candidate), "--baseline", str(baseline), "--json"]
        timed(command)  # caches warm
        runs = [timed(command) for _ in range(max(1, arguments.repeats))]
        size = (candidate / "result.json").stat().st_size
    wall, processor = ([round(run[k], 2) for run in runs] for k in (0, 1))
    median = statistics.median(wall)
    states = {gate["gate"]: gate["state"] for gate in runs[0][2]["gates"]}
    print(f"{arguments.rows} rows a side, {size / 1e6:.1f} MB each; {len(runs)} runs after a first")
    print(f"  wall      median {median:.2f} s ({min(wall):.2f} to {max(wall):.2f}), bar {BAR_S:.0f} s")
    print(f"  processor median {statistics.median(processor):.2f} s")
    print(f"  verdict   {runs[0][2]['verdict']}: " + ", ".join(f"{gate} {state}" for gate, state in states.items()))
    record = {
        "benchmark": "gating", "rows": arguments.rows, "wall_s": wall, "processor_s": processor, "median_s": median,
        "verdict": runs[0][2]["verdict"], "gates": states, "load": round(os.getloadavg()[0], 2),
        "ratio_to_bar": round(median / BAR_S, 3),
    }  # fmt: skip
    print(json.dumps(record))
    return 0


if __name__ == "__main__":
    sys.exit(main())
