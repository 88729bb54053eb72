"""How long a report takes to open from disk in headless Chromium, and how large its pages are.

    python benchmarks/report_opening.py [--rows 3000] [--repeats 9]

An index of one planner and of three, the index of a comparison, each of that many made-up rows; then a scene's page.
Times are real time from the start of the navigation until a page has built its table and drawn two frames, and from a
key in the filter until the answer is drawn; the median of all openings and the longest. ``busy_ms`` is how long the
page's main thread was on the processor until then, which other work on the machine does not lengthen. The bar: 2 s for
3,000 rows.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the browser is driven as the tests drive it

from tests.report.conftest import make_drive, make_scenario
from tests.report.devtools import Tab, tab

from waytrace.report import (
    Cell,
    GroupRow,
    IndexRow,
    PlannerSummary,
    RunFigures,
    comparison_page,
    index_page,
    scene_page,
)

BAR_MS = 2000.0
PLANNERS = ("expert", "idm", "constant-velocity")
FAMILIES = 20
FILTER = """(() => {
  const field = document.getElementById("text"), began = performance.now();
  field.value = "00012";
  field.dispatchEvent(new Event("input"));
  return new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(() => go(performance.now() - began))));
})()"""


def index_of(scenarios: int, planners: int) -> str:
    """An index of made-up scores, ids and reasons of usual length."""
    draw = random.Random(0)
    rows = []
    for planner in range(planners):
        for k in range(scenarios):
            terms = {key: round(draw.random(), 3) for key in ("EP", "SL")}
            terms |= {key: float(draw.random() > 0.1) for key in ("NC", "DAC", "MP", "DDC", "TLC", "TTC", "C")}
            worst = draw.choice(["", "At-fault collision", f"Off the road by {draw.uniform(0.3, 4):.1f} m"])
            rows.append(
                IndexRow(
                    f"unprotected-left/select/{k:06d}@1", "catalogue", f"family {k % FAMILIES}", planner, draw.random(),
                    terms, draw.choice(["horizon", "collision"]),
                    f"scenes/unprotected-left_select_{k:06d}_1-0a1b2c3d.html", draw.uniform(0, 15), worst,
                )
            )  # fmt: skip
    cells = [Cell(0.5, (0.4, 0.6), scenarios // FAMILIES)] * planners
    groups = [GroupRow("catalogue", False, cells), *(GroupRow(f"family {k}", True, cells) for k in range(FAMILIES))]
    return index_page(
        rows, [PlannerSummary(PLANNERS[p], 0.5, (0.4, 0.6)) for p in range(planners)], figures=RunFigures(groups)
    )  # fmt: skip


def comparison_of(scenarios: int) -> str:
    """The index of a comparison in which every scene differs."""
    draw = random.Random(0)
    said = [
        ("3 other decisions, first at 4.0 s", "yield \N{RIGHTWARDS ARROW} follow"),
        ("causes of 4 decisions, first at 4.0 s", "\N{MINUS SIGN} longitudinal headway, agent 3 (proximate)"),
        ("terms", "EP 0.90 \N{RIGHTWARDS ARROW} 0.85"),
    ]
    rows = [
        {
            "id": f"unprotected-left/select/{k:06d}@1",
            "href": f"scenes/unprotected-left_select_{k:06d}_1-0a1b2c3d.html",
            "family": f"family {k % FAMILIES}", "kind": 4 * k // scenarios, "at_s": 4.0,
            "before": round(draw.random(), 4), "after": round(draw.random(), 4), "changes": said,
        }
        for k in range(scenarios)
    ]  # fmt: skip
    results: Any = [SimpleNamespace(label=f"{word}: expert", meta={}, rows={}) for word in ("before", "after")]
    return comparison_page(results, rows)


def opened(browser: Tab, page: Path, repeats: int) -> dict[str, float]:
    """Size of a page, and how long it takes to open and to answer."""
    opening, answering, busy = [], [], []
    for _ in range(repeats):
        browser.open(page)
        metrics = browser.call("Performance.getMetrics")["metrics"]
        busy.append(1000.0 * next(float(m["value"]) for m in metrics if m["name"] == "TaskDuration"))
        opening.append(float(browser.run("performance.now()")))
        if browser.run("document.getElementById('text') !== null"):
            answering.append(float(browser.run(FILTER)))
    figures = {"bytes": page.stat().st_size, "open_ms": statistics.median(opening), "open_most_ms": max(opening)}
    figures["busy_ms"] = statistics.median(busy)
    if answering:
        figures |= {"answer_ms": statistics.median(answering), "answer_most_ms": max(answering)}
    return {name: round(value) for name, value in figures.items()}


def main() -> int:
    """Print the figures; 1 where an index of that many rows takes longer than the bar."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--repeats", type=int, default=9)
    asked = parser.parse_args()
    scenario = make_scenario(lane_copies=5)
    drives = [make_drive(scenario), make_drive(scenario, "wild", crash=True)]
    pages = {
        "index": index_of(asked.rows, 1),
        "index_of_three_planners": index_of(asked.rows // 3, 3),
        "comparison": comparison_of(asked.rows),
        "scene": scene_page(scenario, drives[:1]),
        "scene_of_two_planners": scene_page(scenario, drives),
    }
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder, tab(Path(folder) / "profile") as browser:
        browser.screen(1440, 900)
        browser.call("Performance.enable", timeDomain="threadTicks")
        for name, text in pages.items():
            page = Path(folder) / f"{name}.html"
            page.write_text(text, encoding="utf-8")
            found[name] = opened(browser, page, asked.repeats)
            print(f"  {name:24s} " + ", ".join(f"{key} {value}" for key, value in found[name].items()))
    slowest = max(found[name]["open_ms"] for name in ("index", "index_of_three_planners", "comparison"))
    result = {
        "benchmark": "report_opening", "rows": asked.rows, "repeats": asked.repeats, "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2), **found, "ratio_to_bar": round(slowest / BAR_MS, 3),
    }  # fmt: skip
    print(json.dumps(result))
    return 1 if slowest > BAR_MS else 0


if __name__ == "__main__":
    sys.exit(main())
