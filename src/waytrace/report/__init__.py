"""Static HTML of closed-loop drives: a canvas player per scenario, an index, a page for annotating. No network."""

from .annotate import annotation_page, labelled_picture
from .index import IndexRow, PlannerSummary, index_page
from .names import file_names
from .scene import SceneLinks, scene_page
from .traces import Ghost, Told, TraceFile, read_told
from .write import Result, write_report

__all__ = [
    "Ghost",
    "IndexRow",
    "PlannerSummary",
    "Result",
    "SceneLinks",
    "Told",
    "TraceFile",
    "annotation_page",
    "file_names",
    "index_page",
    "labelled_picture",
    "read_told",
    "scene_page",
    "write_report",
]
