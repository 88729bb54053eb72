"""The trace beside the player as a person meets it: it follows the time, points at the drawing, shows its evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from waytrace.report import scene_page

from .browser import needs_chromium
from .conftest import make_drive, make_scenario
from .devtools import Tab
from .told import random_lines, told, told_lines

pytestmark = [pytest.mark.browser, pytest.mark.slow, needs_chromium]

ROWS = "[...document.querySelectorAll('#told-list .claim')]"
EVIL = "</script><img src=x onerror=alert(1)><script>alert(1)</script>"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("told")
    scenario = make_scenario(lane_copies=5)
    drives = [make_drive(scenario), make_drive(scenario, "wild", crash=True)]
    traces = {"told": [told(told_lines(scenario)), []], "random": [told(random_lines(scenario)), []]}
    evil = told_lines(scenario)
    for line in evil:
        for verdict in line["verdicts"]:
            verdict.update(rule=EVIL, why=EVIL, unit=EVIL, evidence={EVIL: EVIL})
        for ghost in line["ghosts"]:
            ghost.update(option=EVIL, violates=EVIL)
        line["audit"] = [{"why": EVIL, EVIL: EVIL}]
    traces["evil"] = [told(evil), told(evil)]
    for name, given in traces.items():
        (folder / f"{name}.html").write_text(scene_page(scenario, drives, traces=given))
    return folder


@pytest.fixture
def page(browser: Tab, pages: Path) -> Iterator[Tab]:
    browser.screen(1440, 1000)
    browser.open(pages / "told.html", "#t=5.0")
    yield browser
    assert browser.data()["errors"] == "0", browser.data().get("error")


def text(page: Tab, selector: str) -> str:
    found: str = page.run(f"document.querySelector('{selector}').textContent")
    return found


def middle(page: Tab, expression: str) -> tuple[float, float]:
    box: dict[str, Any] = page.run(f"({expression}).getBoundingClientRect().toJSON()")
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_sentence_and_the_claims_follow_the_time(page: Tab) -> None:
    assert text(page, "#said-text").startswith("The ego yields, because its way crosses that of pedestrian")
    assert "decision 11 of 18, 5.0 s" in text(page, "#told-when")
    page.key("Home")
    assert text(page, "#said-text") == "The ego drives at the speed it wants."
    page.key("End")
    assert text(page, "#said-text").startswith("The ego stops, because it has to stop for light")
    assert page.run("document.querySelectorAll('#strip [aria-current=true]').length") == 1


def test_keys_go_from_decision_to_decision(page: Tab) -> None:
    page.key("n")
    assert page.data()["t"] == "5.5"
    page.key("N", shift=True)
    assert page.data()["t"] == "5.0"


def test_a_claim_under_the_pointer_lights_up_what_it_points_at(page: Tab) -> None:
    before = page.drawing()[1]
    row = f"{ROWS}.find((r) => /^pedestrian/.test(r.textContent))"
    page.mouse("mouseMoved", *middle(page, row))
    assert page.run(f"{row}.classList.contains('lit')")
    assert (page.drawing()[1] != before).sum() > 20
    assert not page.run("document.getElementById('proof').hidden"), "evidence on hover"
    assert "arrival gap" in text(page, "#proof")
    page.mouse("mouseMoved", 5, 5)
    assert page.run("document.getElementById('proof').hidden")
    assert (page.drawing()[1] == before).all()


@pytest.mark.parametrize("start", ["agent", "lane", "light", "crosswalk"])
def test_the_focus_lights_up_as_the_pointer_does(start: str, page: Tab) -> None:
    before = page.drawing()[1]
    page.run(f"{ROWS}.find((r) => (r.dataset.ref || '').startsWith('{start}')).firstChild.focus()")
    page.frames()
    assert (page.drawing()[1] != before).sum() > 20


def test_what_is_under_the_pointer_on_the_drawing_lights_up_its_claims(page: Tab) -> None:
    lit = f"{ROWS}.filter((r) => r.classList.contains('lit')).map((r) => r.dataset.ref)"
    page.key("a")
    picked = page.run("document.getElementById('tip').textContent")
    for _ in range(40):
        if page.run(lit):
            break
        page.key("a")
    found = page.run(lit)
    assert found, picked
    assert len(set(found)) == 1
    assert found[0].startswith("agent:")
    page.key("Escape")
    assert page.run(lit) == []
    box = page.run("document.getElementById('canvas').getBoundingClientRect().toJSON()")
    seen = set()
    for across in range(0, 100, 4):
        page.mouse("mouseMoved", box["x"] + box["width"] * across / 100, box["y"] + box["height"] * 0.43)
        seen |= set(page.run(lit))
    assert {"crosswalk:2"} <= seen


def test_a_claim_opens_its_evidence_and_keeps_it_open(page: Tab) -> None:
    row = f"{ROWS}.find((r) => /^pedestrian/.test(r.textContent))"
    page.run(f"{row}.firstChild.focus()")
    page.key("Enter")
    page.run(f"{row}.firstChild.getAttribute('aria-expanded') === 'true' || {row}.firstChild.click()")
    shown = page.run(f"{row}.querySelector('.proof').innerText")
    assert re.search(r"relation\s+false\s+slack −0\.35 s", shown)
    assert "arrival gap 6.35 s, at most 6 s" in shown
    page.key("n")
    assert page.run(f"{row}.firstChild.getAttribute('aria-expanded')") == "true"
    assert page.run("document.activeElement.closest('.claim') !== null"), "the focus stays"


def test_verdicts_are_told_apart_without_colour_and_never_pooled(page: Tab) -> None:
    marks = page.run(f"{ROWS}.flatMap((r) => [...r.querySelectorAll('.what .mark')]).map((m) => m.textContent)")
    assert {"✓", "✕", "?", "–"} == set(marks)
    tally = page.run("[...document.querySelectorAll('#told-tally > span')].map((s) => s.firstChild.textContent)")
    assert tally == ["Present tense", "Forecasts", "Audit"]
    assert page.run("document.querySelectorAll('.stage-2 .mark:not(.forecast)').length") == 0
    spoken = page.run(f"{ROWS}.find((r) => /^pedestrian/.test(r.textContent)).querySelector('.off-screen').textContent")
    assert spoken == "relation: false"


def test_the_strip_is_one_stop_with_arrows_inside(page: Tab) -> None:
    assert page.run("document.querySelectorAll('#strip .cell[tabindex=\"0\"]').length") == 1
    assert page.run("[...document.querySelectorAll('.run-name')].map((n) => n.textContent)") == [
        "set speed", "follow", "yield", "stop",
    ]  # fmt: skip
    page.run("document.querySelectorAll('#strip .cell')[3].click()")
    page.frames()
    assert page.data()["t"] == "1.5"
    page.run("document.querySelectorAll('#strip .cell')[3].focus()")
    page.key("ArrowRight")
    assert page.data()["t"] == "2.0"
    assert page.run("document.activeElement.getAttribute('aria-label')") == "2.0 s: follow"
    assert page.run("document.querySelectorAll('#strip .cell i').length") > 0, "where a claim is false"


def test_the_drawing_shows_causes_and_ghosts_on_demand(page: Tab) -> None:
    before = page.drawing()[1]
    page.key("t")
    assert page.run("document.getElementById('trace').getAttribute('aria-pressed')") == "false"
    assert (page.drawing()[1] != before).sum() > 100


def test_a_drive_without_traces_has_no_panel(page: Tab) -> None:
    page.key("p")
    assert page.run("['told', 'said', 'strip', 'trace'].every((id) => document.getElementById(id).hidden)")


@pytest.mark.parametrize("name", ["random", "evil"])
def test_every_decision_can_be_shown(name: str, browser: Tab, pages: Path) -> None:
    browser.screen(1200, 900)
    browser.open(pages / f"{name}.html")
    for _ in range(18):
        browser.run(f"{ROWS}.forEach((r) => r.firstChild.click())")
        browser.key("n")
    assert browser.data()["errors"] == "0", browser.data().get("error")
    assert browser.run("document.querySelectorAll('img').length") == 0


@pytest.mark.parametrize("name", ["told", "random", "evil"])
def test_a_page_with_traces_fits_a_screen_of_360_pixels(name: str, browser: Tab, pages: Path) -> None:
    browser.screen(360, 740)
    browser.open(pages / f"{name}.html", "#t=5.0")
    assert browser.run("document.documentElement.scrollWidth") <= 360
    top = "document.getElementById('{}').getBoundingClientRect().top"
    assert browser.run(top.format("told")) < browser.run(top.format("plots")), "the trace comes before the plots"
    nameless = "[...document.querySelectorAll('button')].filter((b) => !(b.ariaLabel || b.textContent.trim())).length"
    assert browser.run(nameless) == 0
