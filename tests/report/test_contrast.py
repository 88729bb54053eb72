"""Every text of every page stands out from what is behind it, in light and in dark (WCAG 2.2, 1.4.3, level AA)."""

from __future__ import annotations

from pathlib import Path

import pytest

from .browser import needs_chromium
from .devtools import Tab
from .pages import write_pages

pytestmark = [pytest.mark.browser, pytest.mark.slow, needs_chromium]

FAINT = """(() => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const rgba = (colour) => {
    if (!known.has(colour)) {
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = colour;
      pen.fillRect(0, 0, 1, 1);
      known.set(colour, [...pen.getImageData(0, 0, 1, 1).data].map((v, i) => (i === 3 ? v / 255 : v)));
    }
    return known.get(colour);
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, w, i) => {
    const v = c[i] / 255;
    return sum + w * (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  }, 0);
  const behind = (node) => {
    if (!node) return rgba(getComputedStyle(document.body).backgroundColor);
    const own = rgba(getComputedStyle(node).backgroundColor);
    return own[3] === 1 ? own : over(own, behind(node.parentElement));
  };
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement, style = getComputedStyle(node);
    if (!walk.currentNode.textContent.trim() || /SCRIPT|STYLE|OPTION/.test(node.tagName)) continue;
    if (node.closest(".off-screen") || !node.checkVisibility({ visibilityProperty: true })) continue;
    const ground = behind(node), ink = rgba(style.color).slice();
    for (let n = node; n; n = n.parentElement) ink[3] *= Number(getComputedStyle(n).opacity);
    const [a, b] = [light(over(ink, ground)), light(ground)].sort((l, r) => r - l), ratio = (a + 0.05) / (b + 0.05);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    seen++;
    if (ratio >= (large ? 3 : 4.5)) continue;
    const text = walk.currentNode.textContent.trim().slice(0, 40);
    found.push(`${ratio.toFixed(2)} ${node.tagName}.${node.className}#${node.id}: ${text}`);
  }
  return [seen, [...new Set(found)]];
})()"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_pages(tmp_path_factory.mktemp("pages"))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["index", "comparison", "scene"])
def test_every_text_stands_out(name: str, dark: bool, browser: Tab, pages: dict[str, Path]) -> None:
    browser.screen(1440, 1000, dark=dark)
    browser.open(pages[name], "#t=5.0&others=1" if name == "scene" else "")
    browser.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    seen, faint = browser.run(FAINT)
    assert seen > 40
    assert faint == []


def test_faint_text_is_found(browser: Tab, pages: dict[str, Path]) -> None:
    browser.screen(1440, 1000)
    browser.open(pages["index"])
    browser.run("document.querySelector('h1').style.opacity = '0.3'")
    assert len(browser.run(FAINT)[1]) == 1
