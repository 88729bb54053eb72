"""Labels: traces written from what a driver is known to have decided by, the expert's certificate or a recorded drive."""

from .from_certificate import Label, Setting, from_certificate, setting

__all__ = ["Label", "Setting", "from_certificate", "setting"]
