"""Static HTML of closed-loop drives: a canvas player per scenario, and an index. Opens from ``file://``, no network."""

from .index import IndexRow, PlannerSummary, index_page
from .names import file_names
from .scene import SceneLinks, scene_page
from .write import Result, write_report

__all__ = [
    "IndexRow",
    "PlannerSummary",
    "Result",
    "SceneLinks",
    "file_names",
    "index_page",
    "scene_page",
    "write_report",
]
