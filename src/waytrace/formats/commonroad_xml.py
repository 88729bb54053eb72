"""CommonRoad XML as elements and values: hardened parsing, and the value forms of versions 2017a to 2020a.

Source: https://gitlab.lrz.de/tum-cps/commonroad-scenarios (format documentation of each version).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import wrap

from .untrusted import MAX_COORDINATE_M, MAX_POINTS, number, read_bytes, refuse, require

Array = NDArray[np.float64]
Element = Any

VERSIONS = ("2017a", "2018a", "2018b", "2020a")
IN_SECONDS = ("2017a", "2018a")
"""Versions that give time in seconds; the others in whole steps of ``timeStepSize``."""
_DOCTYPE = re.compile(rb"<!\s*(DOCTYPE|ENTITY)")


def looks_like(head: bytes) -> bool:
    """Whether the first kilobytes of a file are those of a CommonRoad scenario."""
    return b"<commonRoad" in head


def parse(path: Path, limit: int) -> tuple[Element, bytes]:
    """Root element and the bytes it came from. Document types and entities are refused, nothing is fetched."""
    data = read_bytes(path, limit)
    etree = require("lxml.etree")
    if _DOCTYPE.search(data):
        refuse(path, "declares a document type or entities, which no CommonRoad file needs")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        recover=False, remove_comments=True, remove_pis=True, remove_blank_text=False, collect_ids=False,
    )  # fmt: skip
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError, MemoryError) as error:
        refuse(path, f"not well-formed XML ({str(error)[:160]})")
    if root.getroottree().docinfo.doctype:
        refuse(path, "declares a document type, which no CommonRoad file needs")
    if root.tag.startswith("{"):
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
    if root.tag != "commonRoad":
        refuse(path, f"XML, but its root is <{root.tag[:40]}>, not <commonRoad>")
    if root.get("commonRoadVersion") not in VERSIONS:
        version = str(root.get("commonRoadVersion"))[:20]
        refuse(path, f"CommonRoad version {version}; versions {', '.join(VERSIONS)} are read")
    return root, data


class Values:
    """Reads numbers, points and shapes out of elements of one file; anything else refuses the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def number(self, element: Element | None, what: str) -> float:
        """Text of an element as a finite number."""
        if element is None or element.text is None:
            refuse(self.path, f"{what} is missing")
        return number(element.text, self.path, what)

    def scalar(self, element: Element | None, what: str) -> float:
        """``<exact>`` value, or the middle of an interval; also a bare number (orientations of shapes)."""
        if element is None:
            refuse(self.path, f"{what} is missing")
        if len(element) == 0:
            return self.number(element, what)
        if element[0].tag == "exact":
            return self.number(element[0], what)
        low = self.number(element.find("intervalStart"), what)
        return 0.5 * (low + self.number(element.find("intervalEnd"), what))

    def bounds(self, element: Element | None, what: str) -> tuple[float, float]:
        """Interval of a value; both ends equal for an exact one."""
        if element is not None and element.find("intervalStart") is not None:
            return self.number(element.find("intervalStart"), what), self.number(element.find("intervalEnd"), what)
        value = self.scalar(element, what)
        return value, value

    def point(self, element: Element | None, what: str) -> tuple[float, float]:
        """``<x>`` and ``<y>`` of a point or centre."""
        if element is None:
            refuse(self.path, f"{what} is missing")
        return self.number(element.find("x"), what), self.number(element.find("y"), what)

    def polyline(self, element: Element | None, what: str) -> Array:
        """The ``<point>`` children of an element, [P, 2]."""
        if element is None:
            refuse(self.path, f"{what} is missing")
        found = element.findall("point")
        if len(found) > MAX_POINTS:
            refuse(self.path, f"{what} has {len(found):,} points")
        try:
            # The first two children of a point are x and y; a z may follow.
            xy = np.array([(float(p[0].text), float(p[1].text)) for p in found], dtype=np.float64).reshape(-1, 2)
        except (TypeError, ValueError, IndexError):
            xy = np.array([self.point(p, what) for p in found]).reshape(-1, 2)
        if not np.isfinite(xy).all() or (np.abs(xy) > MAX_COORDINATE_M).any():
            refuse(self.path, f"{what} has coordinates out of range")
        return xy

    def shape(self, element: Element, what: str) -> tuple[float, float, Array, float]:
        """Oriented box around one or several shapes: length, width, centre [2] and orientation in the shapes' frame."""
        boxes = [self._one_shape(child, what) for child in element if child.tag in ("rectangle", "circle", "polygon")]
        if not boxes:
            refuse(self.path, f"{what} has no rectangle, circle or polygon")
        if len(boxes) == 1:
            return boxes[0]
        cloud = np.concatenate([_corners(*box) for box in boxes])
        return _box_around(cloud)

    def _one_shape(self, element: Element, what: str) -> tuple[float, float, Array, float]:
        if element.tag == "polygon":
            outline = self.polyline(element, what)
            if len(outline) < 3:
                refuse(self.path, f"{what} is a polygon of {len(outline)} points")
            return _box_around(outline)
        centre = element.find("center")
        at = np.array(self.point(centre, what)) if centre is not None else np.zeros(2)
        if element.tag == "circle":
            size = 2.0 * self.number(element.find("radius"), f"{what}, radius")
            length, width, turned = size, size, 0.0
        else:
            length = self.number(element.find("length"), f"{what}, length")
            width = self.number(element.find("width"), f"{what}, width")
            orientation = element.find("orientation")
            turned = self.scalar(orientation, what) if orientation is not None else 0.0
        if length <= 0 or width <= 0:
            refuse(self.path, f"{what} is {length:g} m x {width:g} m")
        return length, width, at, turned

    def position(self, element: Element | None, what: str) -> tuple[float, float]:
        """A position given as a point, or the centre of the area it lies in."""
        if element is None:
            refuse(self.path, f"{what} is missing")
        if (exact := element.find("point")) is not None:
            return self.point(exact, what)
        centre = self.shape(element, what)[2]
        return float(centre[0]), float(centre[1])


def _corners(length: float, width: float, at: Array, turned: float) -> Array:
    u = np.array([np.cos(turned), np.sin(turned)]) * length / 2
    v = np.array([-np.sin(turned), np.cos(turned)]) * width / 2
    return np.array([at + u + v, at - u + v, at - u - v, at + u - v])


def _box_around(cloud: Array) -> tuple[float, float, Array, float]:
    """Smallest oriented box around points [P, 2] among those with a side along one edge of the outline."""
    edges = np.diff(np.concatenate([cloud, cloud[:1]]), axis=0)
    angles = np.unique(np.round(np.arctan2(edges[:, 1], edges[:, 0]) % (np.pi / 2), 6))[:256]
    best: tuple[float, float, Array, float] | None = None
    for angle in angles:
        axes = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        local = cloud @ axes.T
        low, high = local.min(0), local.max(0)
        length, width = np.maximum(high - low, 0.05)
        if best is None or length * width < best[0] * best[1]:
            best = (float(length), float(width), axes.T @ (0.5 * (low + high)), float(angle))
    assert best is not None
    length, width, centre, angle = best
    if width > length and abs(float(wrap(angle - np.pi / 2))) < abs(angle):
        return width, length, centre, float(wrap(angle - np.pi / 2))
    return best
