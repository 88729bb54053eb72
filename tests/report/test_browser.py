"""Look at the pages in headless Chromium: no script error, something drawn, the address leads to its moment."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from waytrace.report import IndexRow, PlannerSummary, index_page, scene_page

from .browser import needs_chromium, page_data
from .conftest import make_drive, make_scenario

pytestmark = [pytest.mark.browser, pytest.mark.slow, needs_chromium]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scenario = make_scenario(lane_copies=5)
    page = tmp_path_factory.mktemp("scene") / "scene.html"
    page.write_text(scene_page(scenario, [make_drive(scenario), make_drive(scenario, "wild", crash=True)]))
    return page


def test_scene_opens_at_the_address_without_an_error(scene: Path, tmp_path: Path) -> None:
    data, dom = page_data(scene, "#t=3.4&follow=0&planner=wild", tmp_path / "profile")
    assert data["errors"] == "0", data.get("error")
    assert data["ready"] == "1"
    assert (data["t"], data["follow"], data["planner"]) == ("3.4", "0", "wild")
    assert re.search(r'id="clock"[^>]*>3\.4 s<', dom)
    assert dom.count('class="plot') >= 8


def test_an_address_out_of_range_is_clamped(scene: Path, tmp_path: Path) -> None:
    data, _ = page_data(scene, "#t=1e9&planner=nobody", tmp_path / "profile")
    assert (data["errors"], data["t"], data["planner"]) == ("0", "9.1", "expert")


@pytest.mark.parametrize(
    "text", ["</script><script>window.onerror('x')</script>", "<img src=x onerror=alert(1)>", "]]>\u2028'\""]
)
def test_text_of_strangers_stays_text(text: str, tmp_path: Path) -> None:
    scenario = make_scenario(text)
    page = tmp_path / "page.html"
    page.write_text(scene_page(scenario, [make_drive(scenario, planner=text)]), encoding="utf-8")
    data, dom = page_data(page, "", tmp_path / "profile")
    assert data["errors"] == "0", data.get("error")
    assert data["planner"] == text
    assert "<img" not in dom


def test_an_index_of_a_thousand_scenarios_opens_worst_first(tmp_path: Path) -> None:
    rows = [
        IndexRow(
            f"scene-{k}",
            "catalogue",
            f"family {k % 7}",
            0,
            1 - k / 1000,
            {"NC": 1.0, "C": k / 1000},
            "horizon",
            "x.html",
        )
        for k in range(1000)
    ]
    page = tmp_path / "index.html"
    page.write_text(
        index_page(rows, [PlannerSummary("expert", 0.5, (0.4, 0.6), {"suite": "pr"}, [("bad", "it <b>fell</b>")])])
    )
    data, dom = page_data(page, "", tmp_path / "profile")
    assert data["errors"] == "0", data.get("error")
    listed = re.findall(r'href="x\.html#t=0\.0[^"]*">scene-(\d+)<', dom)
    assert listed[:3] == ["999", "998", "997"]
    assert "1000 of 1000 drives" in dom
    assert "it &lt;b&gt;fell&lt;/b&gt;" in dom
