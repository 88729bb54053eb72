"""Drive the pages as a person would: keys, buttons, wheel, drags, plots, filters, a narrow screen, a dark one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from waytrace.report import IndexRow, PlannerSummary, index_page, scene_page

from .browser import needs_chromium
from .conftest import make_drive, make_scenario
from .devtools import Tab

pytestmark = [pytest.mark.browser, pytest.mark.slow, needs_chromium]

LONG_ID = "a-rather-long-scenario-id/with-parts/0a1e6f0a-1817-4a98-b02e-db8c9327d151"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    scenario = make_scenario(LONG_ID)
    drives = [make_drive(scenario), make_drive(scenario, "wild", crash=True)]
    (folder / "scene.html").write_text(scene_page(scenario, drives))
    rows = [
        IndexRow(
            f"scene-{k:03d}", "catalogue", f"family {k % 3}", k % 2, 1 - k / 400,
            {"NC": 1.0} | ({"TLC": k / 400} if k % 5 else {}), "horizon", "x.html",
        )
        for k in range(400)
    ]  # fmt: skip
    (folder / "index.html").write_text(index_page(rows, [PlannerSummary("a", 0.5), PlannerSummary("b", None)]))
    return folder


@pytest.fixture
def scene(browser: Tab, pages: Path) -> Iterator[Tab]:
    browser.screen(1280, 900)
    browser.open(pages / "scene.html", "#t=2.0")
    yield browser
    assert browser.data()["errors"] == "0", browser.data().get("error")


def middle_of(page: Tab, selector: str) -> tuple[float, float]:
    """Middle of the first element that ``selector`` finds, in CSS pixels of the window."""
    box = page.run(f"document.querySelector('{selector}').getBoundingClientRect().toJSON()")
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_keys_move_time(scene: Tab) -> None:
    for key, shift, expected in (
        ("ArrowRight", False, "2.1"),
        ("ArrowRight", True, "3.1"),
        ("ArrowLeft", False, "3.0"),
        ("End", False, "9.1"),
        ("ArrowRight", False, "9.1"),
        ("Home", False, "0.0"),
        ("ArrowLeft", True, "0.0"),
    ):
        scene.key(key, shift)
        assert scene.data()["t"] == expected


def test_space_plays_and_pauses_at_the_chosen_speed(scene: Tab) -> None:
    scene.key(".")
    assert scene.run("document.getElementById('rate').value") == "2"
    scene.key(" ")
    scene.run("new Promise((go) => setTimeout(go, 600))")
    scene.key(" ")
    paused = scene.data()["t"]
    assert float(paused) > 2.0
    scene.run("new Promise((go) => setTimeout(go, 300))")
    assert scene.data()["t"] == paused


def test_planners_are_switched_at_the_same_time_and_the_worst_moment_found(scene: Tab) -> None:
    scene.key("p")
    assert (scene.data()["planner"], scene.data()["t"]) == ("wild", "2.0")
    scene.key("w")
    assert scene.data()["t"] == "6.3"
    assert "At-fault collision" in scene.run("document.getElementById('moments').textContent")
    scene.run("[...document.querySelectorAll('#moments button')].find((b) => /red/.test(b.textContent)).click()")
    scene.frames()
    assert scene.data()["t"] == "5.8"


def test_the_address_leads_back(scene: Tab, pages: Path) -> None:
    scene.key("p")
    scene.key("f")
    scene.key("ArrowRight")
    scene.run("new Promise((go) => setTimeout(go, 400))")
    address = scene.run("location.hash")
    assert address == "#t=2.1&follow=0&planner=wild"
    scene.run("location.hash = '#t=4.0&follow=1&planner=expert'")
    scene.run("new Promise((go) => setTimeout(go, 100))")
    assert {k: scene.data()[k] for k in ("t", "follow", "planner")} == {"t": "4.0", "follow": "1", "planner": "expert"}


def test_wheel_zooms_and_a_drag_lets_go_of_the_ego(scene: Tab) -> None:
    bar = "document.getElementById('bar').textContent + document.getElementById('bar').style.width"
    before = scene.run(bar)
    scene.mouse("mouseWheel", 400, 300, deltaX=0, deltaY=-400)
    assert scene.run(bar) != before
    assert scene.data()["follow"] == "1"
    scene.mouse("mousePressed", 400, 300, button="left", clickCount=1)
    scene.mouse("mouseMoved", 460, 330, button="left", buttons=1)
    scene.mouse("mouseMoved", 500, 350, button="left", buttons=1)
    scene.mouse("mouseReleased", 500, 350, button="left", clickCount=1)
    assert scene.data()["follow"] == "0"
    scene.key("f")
    assert scene.data()["follow"] == "1"


def test_an_agent_under_the_pointer_says_what_it_is(scene: Tab) -> None:
    scene.mouse("mouseMoved", *middle_of(scene, "canvas"))
    assert re.match(r"ego agent-0.*km/h", scene.run("document.getElementById('tip').textContent"))
    scene.mouse("mouseMoved", 5, 5)
    assert scene.run("document.getElementById('tip').hidden")
    scene.key("a")
    tip = scene.run("document.getElementById('tip').textContent")
    assert re.search(r"agent-\d+.*m/s.*from the ego(replayed|reactive)", tip)
    assert scene.run("document.getElementById('spoken').textContent")


def test_a_click_on_a_plot_seeks(scene: Tab) -> None:
    x, y = middle_of(scene, ".frame")
    scene.mouse("mousePressed", x, y, button="left", clickCount=1)
    scene.mouse("mouseReleased", x, y, button="left", clickCount=1)
    assert scene.data()["t"] in ("4.5", "4.6")


def test_the_keys_are_listed(scene: Tab) -> None:
    scene.key("?")
    assert scene.run("document.getElementById('help').open")


def test_every_button_has_a_name(scene: Tab) -> None:
    nameless = """
        [...document.querySelectorAll('button, input, select, canvas')].filter(
          (n) => !(n.getAttribute('aria-label') || n.textContent.trim() || n.labels?.length)).length
    """
    assert scene.run(nameless) == 0


def test_the_scheme_of_the_system_is_followed_unless_the_address_says_otherwise(browser: Tab, pages: Path) -> None:
    for dark, fragment, expected in ((True, "", True), (False, "", False), (False, "#theme=dark", True)):
        browser.screen(1000, 700, dark=dark)
        browser.open(pages / "scene.html", fragment)
        assert bool(browser.picture().mean() < 100) == expected


@pytest.mark.parametrize("name", ["scene.html", "index.html"])
def test_a_page_fits_a_screen_of_360_pixels(name: str, browser: Tab, pages: Path) -> None:
    browser.screen(360, 740)
    browser.open(pages / name)
    assert browser.run("document.documentElement.scrollWidth") <= 360


def test_the_index_filters_and_sorts(browser: Tab, pages: Path) -> None:
    browser.screen(1280, 900)
    browser.open(pages / "index.html")
    ids = "[...document.querySelectorAll('#rows a')].map((a) => a.textContent)"
    count = "document.getElementById('count').textContent"

    def fill(field: str, value: str, event: str = "change") -> None:
        act = f"f.value = '{value}'; f.dispatchEvent(new Event('{event}'))"
        browser.run(f"(() => {{ const f = document.getElementById('{field}'); {act}; }})()")

    def sort(column: str) -> None:
        browser.run(f"document.querySelector('[data-key={column}] button').click()")

    assert browser.run(ids)[:2] == ["scene-399", "scene-398"]
    fill("text", "SCENE-12", "input")
    assert browser.run(ids) == [f"scene-{k}" for k in range(129, 119, -1)]
    fill("text", "", "input")
    for field, expected in (("family", "133"), ("planner", "200")):
        fill(field, "1")
        assert browser.run(count) == f"{expected} of 400 drives"
        fill(field, "")
    sort("score")
    assert browser.run(ids)[0] == "scene-000"
    assert browser.run("document.querySelector('[aria-sort]').getAttribute('aria-sort')") == "descending"
    sort("term-TLC")
    assert browser.run(ids)[0] == "scene-001"
    browser.run("scrollTo(0, 1e6)")
    browser.run("new Promise((go) => setTimeout(go, 300))")
    browser.run("scrollTo(0, 1e6)")
    browser.run("new Promise((go) => setTimeout(go, 300))")
    assert len(browser.run(ids)) == 400
    assert browser.data()["errors"] == "0"


def test_two_fingers_zoom(scene: Tab) -> None:
    bar = "document.getElementById('bar').textContent + document.getElementById('bar').style.width"
    before = scene.run(bar)
    x, y = middle_of(scene, "canvas")
    for kind, apart in (("touchStart", 30), ("touchMove", 60), ("touchMove", 110)):
        points = [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]
        scene.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)
        scene.frames()
    scene.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    assert scene.run(bar) != before
    assert scene.data()["follow"] == "1"


def test_other_planners_are_drawn_on_demand(scene: Tab) -> None:
    _, before = scene.drawing()
    scene.key("c")
    assert scene.run("document.getElementById('others').getAttribute('aria-pressed')") == "true"
    assert (scene.drawing()[1] != before).sum() > 100


def test_the_drawing_is_not_blank_and_moves_with_time(scene: Tab) -> None:
    colours, early = scene.drawing()
    assert colours > 60
    scene.key("End")
    assert (scene.drawing()[1] != early).mean() > 0.02
