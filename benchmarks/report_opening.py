"""Sizes of pages and the time an index of 1,000 scenarios takes to open: ``python -m tests.report.measure``.

The time is real time in headless Chromium from the start of the navigation until the page has built its table and two
frames were drawn, the median of nine openings. The last line is a JSON object.
"""

from __future__ import annotations

import json
import random
import statistics
import tempfile
from pathlib import Path

from waytrace.report import IndexRow, PlannerSummary, index_page, scene_page

from .conftest import make_drive, make_scenario
from .devtools import Tab, tab

PLANNERS = ("expert", "idm", "constant-velocity")


def index_of(scenarios: int, planners: int) -> str:
    """An index of made-up scores, ids and reasons of usual length."""
    draw = random.Random(0)
    rows = []
    for planner in range(planners):
        for k in range(scenarios):
            terms = {key: round(draw.random(), 3) for key in ("EP", "SL")}
            terms |= {key: float(draw.random() > 0.1) for key in ("NC", "DAC", "MP", "DDC", "TLC", "TTC", "C")}
            worst = draw.choice(["", "At-fault collision", f"Off the road by {draw.uniform(0.3, 4):.1f} m"])
            scenario_id, family = f"unprotected-left/select/{k:06d}@1", f"family {k % 7}"
            end, href = draw.choice(["horizon", "collision"]), f"scenes/unprotected-left_select_{k:06d}_1-0a1b2c3d.html"
            rows.append(
                IndexRow(
                    scenario_id,
                    "catalogue",
                    family,
                    planner,
                    draw.random(),
                    terms,
                    end,
                    href,
                    draw.uniform(0, 15),
                    worst,
                )
            )
    return index_page(rows, [PlannerSummary(PLANNERS[p], 0.5, (0.4, 0.6)) for p in range(planners)])


def opening_ms(browser: Tab, page: Path) -> float:
    """Milliseconds until the page is built and drawn."""
    browser.open(page)
    return float(browser.run("performance.now()"))


def main() -> None:
    """Print the figures."""
    scenario = make_scenario(lane_copies=5)
    drives = [make_drive(scenario), make_drive(scenario, "wild", crash=True)]
    figures: dict[str, object] = {
        "lanes": len(scenario.map),
        "agents": len(scenario.agents),
        "ticks": len(drives[0][0].pose),
        "scene_bytes": len(scene_page(scenario, drives[:1]).encode()),
        "scene_bytes_two_planners": len(scene_page(scenario, drives).encode()),
    }
    with tempfile.TemporaryDirectory() as folder, tab(Path(folder) / "profile") as browser:
        browser.screen(1440, 900)
        for name, planners in (("1000", 1), ("1000_by_3", 3)):
            page = Path(folder) / f"index-{name}.html"
            page.write_text(index_of(1000, planners), encoding="utf-8")
            times = [opening_ms(browser, page) for _ in range(9)]
            figures[f"index_{name}_bytes"] = page.stat().st_size
            figures[f"index_{name}_open_ms"] = round(statistics.median(times))
            figures[f"index_{name}_open_ms_worst"] = round(max(times))
        page = Path(folder) / "scene.html"
        page.write_text(scene_page(scenario, drives), encoding="utf-8")
        figures["scene_open_ms"] = round(statistics.median(opening_ms(browser, page) for _ in range(9)))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
