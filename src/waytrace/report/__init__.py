"""Static HTML of closed-loop drives: a canvas player per scenario, an index, a page for annotating. No network."""

from .annotate import annotation_page, labelled_picture
from .comparison import comparison_page, write_comparison
from .figures import Cell, GroupRow, LatencyRow, RunFigures
from .given import Causal, Gate, read_causal, read_gate
from .index import IndexRow, PlannerSummary, index_page
from .names import file_names
from .results import Result
from .scene import SceneLinks, scene_page
from .traces import Ghost, Told, TraceFile, read_told
from .write import Extras, write_report

__all__ = [
    "Causal",
    "Cell",
    "Extras",
    "Gate",
    "Ghost",
    "GroupRow",
    "IndexRow",
    "LatencyRow",
    "PlannerSummary",
    "Result",
    "RunFigures",
    "SceneLinks",
    "Told",
    "TraceFile",
    "annotation_page",
    "comparison_page",
    "file_names",
    "index_page",
    "labelled_picture",
    "read_causal",
    "read_gate",
    "read_told",
    "scene_page",
    "write_comparison",
    "write_report",
]
