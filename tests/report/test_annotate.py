"""The annotation page: what it shows and what it keeps to itself, its keys, its memory, its export."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from waytrace.catalogue import generate
from waytrace.evaluate import Moment, read_annotations
from waytrace.observe import ReferenceKind, Scene
from waytrace.report import annotation_page, labelled_picture
from waytrace.report.snapshot import candidates, snapshot
from waytrace.sim import World

from .browser import needs_chromium
from .devtools import Tab

FAMILIES = ("red-light", "cut-in", "pedestrian-near", "work-zone")


@pytest.fixture(scope="module")
def made() -> list[tuple[Moment, Scene]]:
    out = []
    for family in FAMILIES:
        world = World([generate(family, 1)])
        scene = world.observe().scenes[0]
        out.append((Moment(scene.scenario_id, scene.tick, "f" * 64, "expert", "mixed", 0), scene))
    return out


def payload(page: str) -> Any:
    return json.loads(re.findall(r'id="data">(.*?)</script>', page, re.S)[0])


def test_every_candidate_can_be_pointed_at_and_chosen(made: list[tuple[Moment, Scene]]) -> None:
    for _, scene in made:
        drawn = set(re.findall(r'data-ref="([a-z_]+:\d+)"', snapshot(scene)))
        named = [str(c.ref) for c in candidates(scene)]
        assert set(named) <= drawn
        assert len(named) == len(set(named))
        assert not any(scene.truncated(c.ref) for c in candidates(scene))


def test_the_nearest_agents_come_first(made: list[tuple[Moment, Scene]]) -> None:
    for _, scene in made:
        away = [c.at[0] ** 2 + c.at[1] ** 2 for c in candidates(scene) if c.ref.kind == ReferenceKind.AGENT]
        assert away == sorted(away)


def test_the_page_says_nothing_of_planners_plans_and_families(made: list[tuple[Moment, Scene]]) -> None:
    page = annotation_page(made)
    text = re.sub(r"<script.*?</script>|<style.*?</style>", "", page, flags=re.S)
    for word in ("expert", "idm", *FAMILIES):
        assert word not in text
    assert {"scenario", "tick", "hash", "speed_mps", "gained_mps", "limit_mps", "candidates"} == set(
        payload(page)["scenes"][0]
    )


def test_two_passes_have_two_orders_and_the_seed_decides(made: list[tuple[Moment, Scene]]) -> None:
    first, again, other = (payload(annotation_page(made, seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert first["orders"] != other["orders"]
    assert first["orders"][0] != first["orders"][1]
    assert all(sorted(order) == list(range(len(made))) for order in first["orders"])


def test_a_picture_alone_names_what_is_in_it(made: list[tuple[Moment, Scene]]) -> None:
    for _, scene in made:
        picture = labelled_picture(scene, "moment <3>")
        assert "moment &lt;3>" in picture
        written = set(re.findall(r'<text class="ref [a-z_]+"[^>]*>([a-z_]+:\d+)<', picture))
        assert {str(c.ref) for c in candidates(scene) if c.ref.kind != ReferenceKind.LANE} <= written
        assert all(f">{c.ref}  " in picture for c in candidates(scene))


browsing = [pytest.mark.browser, pytest.mark.slow, needs_chromium]


@pytest.fixture
def page(browser: Tab, made: list[tuple[Moment, Scene]], tmp_path: Path) -> Iterator[Tab]:
    path = tmp_path / "annotate.html"
    path.write_text(annotation_page(made, seed=3), encoding="utf-8")
    browser.screen(1400, 900)
    browser.open(path, "#who=ab&pass=1")
    yield browser
    assert browser.data()["errors"] == "0", browser.data().get("error")


class TestInTheBrowser:
    pytestmark = browsing

    def test_a_scene_is_answered_by_keys_alone(self, page: Tab, tmp_path: Path) -> None:
        for key in ("2", "q", "x", "Enter"):
            page.key(key)
        assert (page.data()["at"], page.data()["done"]) == ("1", "1")
        for key in ("6", "y", ".", "g", "ArrowDown", "Enter"):
            page.key(key)
        assert page.data()["done"] == "2"
        page.run("document.getElementById('open-export').click()")
        text = page.run("document.getElementById('lines').value")
        (tmp_path / "out.jsonl").write_text(text)
        one, two = read_annotations(tmp_path / "out.jsonl")
        assert (one.longitudinal, one.lateral, one.cause, one.who, one.pass_number) == ("follow", "keep", None, "ab", 1)
        assert (two.longitudinal, two.lateral) == ("yield", "lane_change_left")
        assert two.cause is not None
        assert page.run("document.getElementById('download').href").startswith("blob:")

    def test_an_element_is_chosen_by_a_click_on_the_picture(self, page: Tab) -> None:
        for _ in range(4):
            found = page.run("Boolean(document.querySelector('.picture .thing[data-ref^=agent]'))")
            if found:
                break
            page.run("document.getElementById('next').click()")
        where = "[...document.querySelectorAll('.picture .thing[data-ref^=agent] .reach')].at(-1)"
        box = page.run(f"{where}.getBoundingClientRect().toJSON()")
        ref = page.run(f"{where}.parentNode.dataset.ref")
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse("mousePressed", x, y, button="left", clickCount=1)
        page.mouse("mouseReleased", x, y, button="left", clickCount=1)
        assert page.run("document.querySelector('.thing.chosen').dataset.ref") == ref
        assert page.run("document.querySelector('#causes :checked').value") == ref
        assert not page.run("document.getElementById('relation-part').hidden")

    def test_answers_are_kept_for_each_pass(self, page: Tab, tmp_path: Path) -> None:
        page.open(tmp_path / "annotate.html", "#who=ef&pass=1")
        for key in ("1", "q", "x", "m"):
            page.key(key)
        page.run("document.getElementById('remark').value = 'clear'")
        page.run("document.getElementById('remark').dispatchEvent(new Event('input'))")
        page.open(tmp_path / "annotate.html", "#who=ef&pass=1")
        assert page.data()["done"] == "1"
        assert page.run("document.getElementById('remark').value") == "clear"
        page.open(tmp_path / "annotate.html", "#who=ef&pass=2")
        assert page.data()["done"] == "0"

    def test_the_page_fits_a_narrow_screen(self, page: Tab) -> None:
        page.screen(360, 740)
        page.frames()
        assert page.run("document.documentElement.scrollWidth") <= 360

    def test_without_a_name_the_page_asks_first(self, page: Tab, tmp_path: Path) -> None:
        page.open(tmp_path / "annotate.html")
        assert page.run("document.getElementById('start').open")
        page.run("document.getElementById('who').value = 'cd'; document.getElementById('begin').click()")
        assert page.run("document.getElementById('who-now').textContent") == "cd, pass 1"
