"""Labels: traces written from the expert's certificates, or from what the driver of a recording did."""

from .asking import Asker
from .drive import LabelError, LabelledMoment, header_of, label_drive
from .from_certificate import Label, Setting, from_certificate, setting
from .ghosts import ghosts_of
from .log_inverse import RecordedMoment, label_recorded
from .record import line_of, runner_up_of
from .run import label_store
from .store import LabelStore
from .verify import Test, verified

__all__ = [
    "Asker",
    "Label",
    "LabelError",
    "LabelStore",
    "LabelledMoment",
    "RecordedMoment",
    "Setting",
    "Test",
    "from_certificate",
    "ghosts_of",
    "header_of",
    "label_drive",
    "label_recorded",
    "label_store",
    "line_of",
    "runner_up_of",
    "setting",
    "verified",
]
