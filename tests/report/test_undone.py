"""A cause and the plan without it, as a person meets it; paper; keys alone."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .browser import needs_chromium
from .devtools import Tab
from .pages import write_pages

pytestmark = [pytest.mark.browser, pytest.mark.slow, needs_chromium]

FOCUSED = "document.activeElement.id || document.activeElement.tagName"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_pages(tmp_path_factory.mktemp("pages"))


@pytest.fixture
def page(browser: Tab, pages: dict[str, Path]) -> Iterator[Tab]:
    browser.screen(1440, 1000)
    browser.open(pages["scene"], "#t=5.0&planner=expert")
    yield browser
    assert browser.data()["errors"] == "0", browser.data().get("error")


def _said(page: Tab) -> str:
    hidden, text = page.run(
        "(({ hidden, textContent }) => [hidden, textContent])(document.getElementById('said-undone'))"
    )
    return "" if hidden else str(text)


def test_a_key_goes_through_the_causes_and_takes_the_overlay_away(page: Tab) -> None:
    assert re.match(r"Without pedestrian \d+ \(cross conflict\) the expert's plan moves: 48\.0 m along", _said(page))
    _, first = page.drawing()
    page.key("x")
    assert re.match(r"Without \w+ \d+ \(headway\) the expert's plan stays: 0\.20 m along and 0\.10 m", _said(page))
    _, second = page.drawing()
    assert (first != second).sum() > 50
    page.key("x")
    page.key("x")
    assert _said(page) == ""
    assert page.run("document.getElementById('undone').getAttribute('aria-pressed')") == "false"
    assert (page.drawing()[1] != second).sum() > 50
    page.key("x")
    assert _said(page).startswith("Without pedestrian")
    assert (page.drawing()[1] == first).all()


def test_the_cause_that_has_the_focus_is_the_one_shown(page: Tab) -> None:
    page.run("document.querySelectorAll('.stage-4 .claim .what')[1].focus()")
    page.frames()
    assert "(headway)" in _said(page)


def test_a_decision_without_causes_shows_no_overlay(page: Tab) -> None:
    page.key("Home")
    assert _said(page) == ""


def test_the_other_planner_is_heard_while_it_is_shown(page: Tab) -> None:
    others = "document.getElementById('said-others').textContent"
    assert page.run(others) == ""
    page.key("c")
    assert page.run(others).startswith("wildThe ego yields")
    page.run("""new Promise((go) => {
      let tries = 0;
      const look = () => (location.hash.endsWith("&others=1") || ++tries > 300 ? go() : setTimeout(look, 20));
      look();
    })""")
    assert page.run("location.hash").endswith("&others=1")
    page.key("c")
    assert page.run(others) == ""


def test_a_comparison_leads_to_both_drives_at_the_first_difference(browser: Tab, pages: dict[str, Path]) -> None:
    browser.screen(1280, 900)
    browser.open(pages["comparison"])
    kinds = browser.run("[...document.querySelectorAll('#rows .kind')].map((k) => k.className)")
    assert kinds == ["kind unseen", "kind lower"]
    scene, _, fragment = browser.run("document.querySelector('#rows a').getAttribute('href')").partition("#")
    browser.open(pages["comparison"].parent / scene, f"#{fragment}")
    assert {k: browser.data()[k] for k in ("t", "planner")} == {"t": "4.0", "planner": "after: wild"}
    assert browser.run("document.getElementById('others').getAttribute('aria-pressed')") == "true"
    assert browser.data()["errors"] == "0"


@pytest.mark.parametrize("name", ["index", "comparison"])
def test_arrows_go_through_the_rows(name: str, browser: Tab, pages: dict[str, Path]) -> None:
    browser.screen(1280, 900)
    browser.open(pages[name])
    links = "[...document.querySelectorAll('#rows a')].indexOf(document.activeElement)"
    browser.run("document.querySelector('#rows a').focus()")
    browser.key("ArrowDown")
    assert browser.run(links) == 1
    browser.key("ArrowUp")
    browser.key("ArrowUp")
    assert browser.run(links) == 0


@pytest.mark.parametrize("name", ["index", "comparison", "scene"])
def test_the_tab_key_reaches_every_control_and_its_focus_is_seen(
    name: str, browser: Tab, pages: dict[str, Path]
) -> None:
    browser.screen(1440, 1000)
    browser.open(pages[name], "#t=5.0&planner=expert" if name == "scene" else "")
    controls = """[...document.querySelectorAll('button, input, select, summary, a[href]')]
      .filter((n) => n.checkVisibility() && n.tabIndex >= 0 && !n.disabled && !n.closest('dialog'))"""
    browser.run(f"window.wanted = new Set({controls}); window.unseen = []; document.body.focus()")
    for _ in range(browser.run("wanted.size") + 20):
        for kind in ("keyDown", "keyUp"):
            browser.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        browser.run("""(() => {
          const node = document.activeElement, style = getComputedStyle(node);
          wanted.delete(node);
          const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth);
          if (node !== document.body && !seen) unseen.push(node.id || node.className);
        })()""")
        if not browser.run("wanted.size"):
            break
    assert browser.run("[...wanted].map((n) => n.id || n.outerHTML.slice(0, 80))") == []
    assert browser.run("unseen") == []


@pytest.mark.parametrize("name", ["index", "comparison", "scene"])
def test_a_page_prints_whole_in_light_colours(name: str, browser: Tab, pages: dict[str, Path]) -> None:
    browser.screen(1440, 1000, dark=True)
    browser.open(pages[name], "#t=5.0&planner=expert&theme=dark" if name == "scene" else "")
    printed = base64.b64decode(browser.call("Page.printToPDF", preferCSSPageSize=True)["data"])
    assert printed.startswith(b"%PDF")
    browser.run("dispatchEvent(new Event('beforeprint'))")
    browser.call(
        "Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}]
    )
    browser.frames()
    assert browser.run("getComputedStyle(document.body).color") == "rgb(19, 26, 36)"
    assert browser.run("[...document.querySelectorAll('details')].every((d) => d.open)") or name == "scene"
    width = browser.run("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]
    browser.call("Emulation.setEmulatedMedia", media="")
    assert browser.data()["errors"] == "0", browser.data().get("error")
    browser.run("dispatchEvent(new Event('afterprint'))")
    if name == "scene":
        assert browser.data()["theme"] == "dark"
