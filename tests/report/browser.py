"""Headless Chromium for tests that look at a page; PNG pixels without an imaging library."""

from __future__ import annotations

import html
import re
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on PATH")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
)


def _run(profile: Path, *arguments: str, budget_ms: int = 2000) -> str:
    assert CHROMIUM is not None
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", f"--virtual-time-budget={budget_ms}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def page_data(page: Path, fragment: str, profile: Path, budget_ms: int = 2000) -> tuple[dict[str, str], str]:
    """The ``data-*`` attributes of the document's root after its scripts ran, and the whole DOM as text."""
    dom = _run(profile, "--dump-dom", page.as_uri() + fragment, budget_ms=budget_ms)
    root = re.search(r"<html[^>]*>", dom)
    assert root, dom[:300]
    return {k: html.unescape(v) for k, v in re.findall(r'data-([\w-]+)="([^"]*)"', root[0])}, dom


def read_png(data: bytes) -> NDArray[np.uint8]:
    """Pixels [height, width, 3] of an 8-bit RGB or RGBA file without interlacing, as Chromium writes."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed, width, height, channels = 8, b"", 0, 0, 0
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        if name == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            assert depth == 8
            channels = {2: 3, 6: 4}[colour]
        elif name == b"IDAT":
            packed += body
        at += 12 + length
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + width * channels)
    out = np.zeros((height, width, channels), np.uint8)
    above = np.zeros((width, channels), np.uint8)
    for y, row in enumerate(rows):
        above = out[y] = _unfilter(int(row[0]), row[1:].reshape(width, channels), above)
    return out[..., :3]


def _unfilter(kind: int, row: NDArray[np.uint8], above: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if kind == 0:
        return row
    if kind == 1:
        return np.cumsum(row, axis=0, dtype=np.uint8)
    if kind == 2:
        return row + above
    out, up = row.astype(np.int64), above.astype(np.int64)
    for x in range(len(out)):
        left = out[x - 1] if x else np.zeros_like(out[0])
        if kind == 3:
            out[x] += (left + up[x]) // 2
        else:
            corner = up[x - 1] if x else np.zeros_like(left)
            to_left, to_up, to_corner = abs(up[x] - corner), abs(left - corner), abs(left + up[x] - 2 * corner)
            best = np.where(to_up <= to_corner, up[x], corner)
            out[x] += np.where((to_left <= to_up) & (to_left <= to_corner), left, best)
        out[x] &= 255
    return out.astype(np.uint8)
