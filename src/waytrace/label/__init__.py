"""Labels: traces written from what a driver is known to have decided by, the expert's certificate or a recorded drive."""

from .drive import LabelError, LabelledMoment, header_of, label_drive
from .from_certificate import Label, Setting, from_certificate, setting
from .record import Labelled, Told
from .run import label_store
from .store import LabelStore

__all__ = [
    "Label",
    "LabelError",
    "LabelStore",
    "Labelled",
    "LabelledMoment",
    "Setting",
    "Told",
    "from_certificate",
    "header_of",
    "label_drive",
    "label_store",
    "setting",
]
