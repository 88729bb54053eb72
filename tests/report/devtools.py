"""A tab of headless Chromium over its debugging pipe: real frames, real time, any screen size. No client library."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .browser import CHROMIUM, FLAGS, read_png

_DRAWING = """(() => {
  const canvas = document.getElementById("canvas"), size = [canvas.width, canvas.height];
  const data = canvas.getContext("2d").getImageData(0, 0, ...size).data, colours = new Set(), grey = [];
  for (let i = 0; i < data.length; i += 12) {
    colours.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    grey.push(data[i] + data[i + 1] + data[i + 2]);
  }
  return [colours.size, grey];
})()"""


class Tab:
    """One open page."""

    def __init__(self, write: int, read: int) -> None:
        self._write, self._read = write, read
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """The result of one DevTools command; events in between are dropped."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def _next(self) -> Any:
        while b"\0" not in self._buffer:
            part = os.read(self._read, 1 << 16)
            assert part, "the browser closed its pipe"
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def screen(self, width: int, height: int, dark: bool = False, scale: float = 1.0) -> None:
        """Emulate a screen in CSS pixels and a colour scheme."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def open(self, page: Path, fragment: str = "") -> None:
        """Open a page and wait until its scripts have run and two frames were drawn."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=page.absolute().as_uri() + fragment)
        ready = "document.readyState === 'complete' && document.documentElement.dataset.ready === '1'"
        self.run(f"new Promise((go) => {{ const look = () => {ready} ? go() : setTimeout(look, 10); look(); }})")
        self.frames()

    def frames(self) -> None:
        """Wait for two frames."""
        self.run("new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(() => go())))")

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression; promises are awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, (expression, answer["exceptionDetails"])
        return answer["result"].get("value")

    def data(self) -> dict[str, str]:
        """The ``data-*`` attributes of the document's root."""
        found: dict[str, str] = self.run("({ ...document.documentElement.dataset })")
        return found

    def key(self, key: str, shift: bool = False) -> None:
        """Press one key and wait until the page has drawn."""
        text = {"text": key} if len(key) == 1 else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, modifiers=8 if shift else 0, **text)
            text = {}
        self.frames()

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """One mouse event (``mousePressed``, ``mouseMoved``, ``mouseReleased``, ``mouseWheel``) in CSS pixels."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)
        self.frames()

    def picture(self, width: int = 160, height: int = 120) -> NDArray[np.uint8]:
        """Pixels [height, width, 3] of the window's upper left corner."""
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        return read_png(base64.b64decode(self.call("Page.captureScreenshot", format="png", clip=clip)["data"]))

    def drawing(self) -> tuple[int, NDArray[np.float64]]:
        """How many colours the page's canvas holds, and its pixels' brightness, every third one."""
        colours, grey = self.run(_DRAWING)
        return int(colours), np.array(grey, dtype=np.float64)


@contextlib.contextmanager
def tab(profile: Path) -> Iterator[Tab]:
    """A tab of a browser of its own, closed in the end. Chromium reads commands from descriptor 3, answers on 4."""
    assert CHROMIUM is not None
    ours = os.pipe(), os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (ours[0][0], ours[1][1])]

    def hand_over() -> None:
        os.dup2(high[0], 3)
        os.dup2(high[1], 4)

    browser = subprocess.Popen(
        [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "--remote-debugging-pipe"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False, preexec_fn=hand_over,
    )  # fmt: skip
    for end in (ours[0][0], ours[1][1], *high):
        os.close(end)
    try:
        yield Tab(ours[0][1], ours[1][0])
    finally:
        os.close(ours[0][1])
        os.close(ours[1][0])
        browser.terminate()
        browser.wait(30)
